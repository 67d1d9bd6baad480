"""train-host: machines, and how to reach them."""

import trainsh_base  # noqa: F401 - before msgspec, which it makes quicker to load
