"""The recipe language as a library: `trainsh_dsl.analysis.analyse` is the way in."""
