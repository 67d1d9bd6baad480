"""There is a class for each kind of step, which does such a step and returns an Outcome."""
