"""The framework every train tool stands on: a command is a function that returns data, with three faces."""

VERSION = "1.0.0a1"
