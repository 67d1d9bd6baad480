"""The shell functions that transfers run (`*.sh`), and the command lines that call them. Imports no other
subpackage."""
