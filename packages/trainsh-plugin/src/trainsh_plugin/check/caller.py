"""A runner that a check kills: calls a tool's `pick` and waits. Run as a module: PROGRAM JOB OPTIONS."""

import json
import sys

from trainsh_plugin.check.subject import Subject


def main() -> None:
    """Call `pick` and answer its questions."""
    program, job, options = sys.argv[1:]
    with Subject(program, json.loads(options)) as subject:
        print("ready", flush=True)
        subject.result(subject.begin(subject.pick, subject.wanted(job)))


if __name__ == "__main__":
    main()
