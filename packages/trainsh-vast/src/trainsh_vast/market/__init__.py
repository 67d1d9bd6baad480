"""Offers: the query language, filters (which are checked here too), prices and sort order.

This subpackage imports `api` and `model`.
"""
