"""The commands. A command imports the engine only when it is called.

This subpackage may import every other one.
"""
