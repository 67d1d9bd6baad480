"""train-secrets: credentials from the environment, the keyring, a helper command or an encrypted file."""
