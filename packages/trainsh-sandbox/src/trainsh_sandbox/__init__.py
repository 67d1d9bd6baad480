"""train-sandbox: a GPU market with machines and storage on this machine alone."""
