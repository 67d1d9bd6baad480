"""Offers: the query language, filters (checked here too), prices and sort order. Imports `api` and `model`."""
