"""The recipe language as a library; start at `trainsh_dsl.analysis.analyse`."""

import trainsh_base  # noqa: F401 - before msgspec, which it makes quicker to load
