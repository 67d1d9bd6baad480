"""The declared commands. A command imports the engine only when it is called. Imports every subpackage."""
