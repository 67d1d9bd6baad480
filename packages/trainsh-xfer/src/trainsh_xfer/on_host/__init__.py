"""rclone that runs on a host, apart from this machine: a transfer with a storage, and the checkpoint pump."""
