"""train-plugin: tools of your own: write one, check it against the contract, list providers."""
