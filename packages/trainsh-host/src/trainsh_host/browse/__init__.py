"""Shows the files of a host, as a listing or on a screen for browsing.

This subpackage may import `ways`.
"""
