"""Offers: how they are generated, priced, changed over time and searched. Imports no other subpackage."""
