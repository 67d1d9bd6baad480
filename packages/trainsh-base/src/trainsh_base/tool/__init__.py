"""Tools: declared commands, and the faces (ways to call a tool) for people, pipes and programs.

This subpackage may import `system`.
"""
