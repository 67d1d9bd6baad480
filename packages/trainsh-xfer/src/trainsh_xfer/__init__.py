"""Moving files between machines and storage."""
