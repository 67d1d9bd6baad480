"""Declares the commands: their parameters, their help, and how their answers are shown.

A command imports the modules that do its work only when it is called.
"""
