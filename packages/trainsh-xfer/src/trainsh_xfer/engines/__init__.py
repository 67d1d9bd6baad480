"""rsync: its argv, process, output, errors, and paths quoted for it. Knows no host. Imports `model` only."""
