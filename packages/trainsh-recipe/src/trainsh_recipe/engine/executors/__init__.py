"""The classes that run steps, one for each kind of step. Each has a method `run`, which returns an Outcome."""
