"""Hosts: the shared connection to each, and how one copies to another. Imports `engines` and what is below it."""
