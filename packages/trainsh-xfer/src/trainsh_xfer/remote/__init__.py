"""The shell functions that transfers run (`*.sh`), and their command lines. Imports no other subpackage."""
