"""train-host: machines, and how to reach them."""

import trainsh_base  # noqa: F401 - must come before msgspec, which then loads faster
