"""Offers: how they are generated, priced, changed over time and searched.

This subpackage imports no other subpackage.
"""
