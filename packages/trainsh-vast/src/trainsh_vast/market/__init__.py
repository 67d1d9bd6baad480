"""Offers: the query language, filters that are checked again, prices and order. Imports api and model."""
