"""Makes the files that are generated and committed: completion tables, manual pages and docs/errors.md."""
