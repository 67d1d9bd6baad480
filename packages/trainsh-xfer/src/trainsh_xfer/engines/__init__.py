"""rsync and rclone: argv, process, output, errors, quoting. Knows no host. Imports `model` and `remote` only."""
