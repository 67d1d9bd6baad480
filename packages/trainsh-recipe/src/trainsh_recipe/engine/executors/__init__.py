"""One class for each kind of step; each does the step and returns an Outcome."""
