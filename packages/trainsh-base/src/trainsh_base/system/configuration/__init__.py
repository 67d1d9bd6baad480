"""Configuration: the file config.toml, the settings that each tool declares, and edits that keep comments."""
