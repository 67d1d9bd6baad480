#!/usr/bin/env python3
# summary: how long this machine has been up
"""A tool with one command. Standard library only."""

import json
import sys
import time

SCHEMA = {
    "name": "acme",
    "summary": "How long this machine has been up",
    "commands": {"get": {"summary": "Say it", "params": {"type": "object", "properties": {}}}},
}


def main(verb: str = "--help") -> int:
    """Run one command."""
    if verb in ("-h", "--help"):
        print("usage: train acme get [--input - --json]")
    elif verb == "--version":
        print("train-acme 1")
    elif verb == "schema":
        print(json.dumps(SCHEMA))
    elif verb == "get":
        print(json.dumps({"message": f"up for {time.monotonic():.0f} s"}))
    else:
        error = {"code": "usage", "message": f"no such command: {verb}", "exit": 2}
        print(json.dumps({"error": error}), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
