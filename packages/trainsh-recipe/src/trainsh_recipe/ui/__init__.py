"""Views, reports, the Ctrl-C menu, and the work of the commands that run something.

This subpackage may import every other one except commands/.
"""
