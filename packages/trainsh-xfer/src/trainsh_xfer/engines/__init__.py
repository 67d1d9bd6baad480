"""rsync and rclone: argv, process, output, errors, quoting. Makes no connection. Imports `model` and `remote`
only."""
