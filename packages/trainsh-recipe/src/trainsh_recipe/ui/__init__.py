"""Views, reports, the Ctrl-C menu, and what the commands do that run something.

This subpackage may import every other one except commands/.
"""
