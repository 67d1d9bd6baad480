"""Moving files between machines and storage."""

import trainsh_base  # noqa: F401 - before msgspec, which it makes quicker to load
