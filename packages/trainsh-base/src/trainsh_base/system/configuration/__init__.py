"""Files of settings: config.toml, what each tool declares, TOML changed so that comments stay."""
