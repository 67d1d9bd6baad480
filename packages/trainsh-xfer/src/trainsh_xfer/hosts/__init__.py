"""Hosts: the shared connection to each host, and how one host copies to another.

This subpackage imports `engines` and the layers below `engines`.
"""
