"""The recipe language as a library: `trainsh_dsl.analysis.analyse` is the way in."""

import trainsh_base  # noqa: F401 - before msgspec, which it makes quicker to load
