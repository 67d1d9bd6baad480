"""Files that are made from schemas and committed: completion tables and manual pages (`make completions man`)."""
