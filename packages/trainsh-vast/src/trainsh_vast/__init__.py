"""train-vast: Vast.ai, a provider of machines."""
