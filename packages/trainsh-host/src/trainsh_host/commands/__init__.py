"""The declared commands: parameters, help, and how answers are shown. Each imports the work when it is called."""
