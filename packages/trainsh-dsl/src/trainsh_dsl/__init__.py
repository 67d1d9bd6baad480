"""The recipe language as a library. Its entry point is `trainsh_dsl.analysis.analyse`."""

import trainsh_base  # noqa: F401 - must come before msgspec, which then loads faster
