"""train-secrets: credentials from the environment, the keyring, a helper command or an encrypted file."""

import trainsh_base  # noqa: F401 - before msgspec, which it makes quicker to load
