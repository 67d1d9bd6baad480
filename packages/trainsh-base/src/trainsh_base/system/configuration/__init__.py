"""Configuration files: config.toml, the settings that each tool declares, TOML edits that keep comments."""
