"""A process that calls a tool's `pick` and waits, as a runner of a recipe does. A check can kill it.

It is run as a module with the arguments PROGRAM JOB OPTIONS. OPTIONS is a JSON object.
"""

import json
import sys

from trainsh_plugin.check.subject import Subject


def main() -> None:
    """Call the tool's `pick`, and answer its questions."""
    program, job, options = sys.argv[1:]
    with Subject(program, json.loads(options)) as subject:
        print("ready", flush=True)
        subject.result(subject.begin(subject.pick, subject.wanted(job)))


if __name__ == "__main__":
    main()
