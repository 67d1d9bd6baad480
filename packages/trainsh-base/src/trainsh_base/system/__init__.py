"""This machine: files, paths, processes, units, secrets, settings. Imports `errors` and `request` alone."""
