"""Reads the plan that train-dsl prints, and numbers its steps.

This subpackage imports nothing else of the package.
"""
