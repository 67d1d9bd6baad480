"""The scripts that hosts run (`sh/`), their installation, and the connection to a host.

Any other subpackage may import this one.
"""
