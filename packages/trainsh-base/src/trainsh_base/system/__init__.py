"""This machine: files, paths, processes, units, secrets, settings. Imports only `errors` and `request`."""
