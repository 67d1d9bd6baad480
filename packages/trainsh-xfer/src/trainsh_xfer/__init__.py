"""Moving files between machines and storage."""

import trainsh_base  # noqa: F401 - must come before msgspec, which then loads faster
