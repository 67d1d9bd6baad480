"""train-host: machines, and how to reach them."""
