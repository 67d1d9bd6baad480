"""What `train` says about its commands: their list, help on one, and what an unknown word may have meant."""
