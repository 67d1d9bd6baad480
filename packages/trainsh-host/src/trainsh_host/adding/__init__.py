"""Adds and changes hosts, from flags, pasted text, questions or an editor.

This subpackage may import `ways` and `store`.
"""
