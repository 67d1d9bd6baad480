"""rclone that runs on a host and needs no connection: transfers with a storage, and the checkpoint pump."""
