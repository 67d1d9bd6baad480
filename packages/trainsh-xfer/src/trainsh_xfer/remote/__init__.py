"""The shell functions that transfers run (`*.sh`), and the command lines that call them.

This subpackage imports no other subpackage.
"""
