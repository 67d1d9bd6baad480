"""What people and recipes ask of runtimes: connect, pick, resolve, stop. May import `runtimes`."""
