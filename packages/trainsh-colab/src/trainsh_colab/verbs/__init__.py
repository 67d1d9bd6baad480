"""The commands that people and recipes use for runtimes: connect, pick, resolve, stop. May import `runtimes`."""
