"""What each kind of step does: one class a kind, given what it needs; each answers with an Outcome."""
