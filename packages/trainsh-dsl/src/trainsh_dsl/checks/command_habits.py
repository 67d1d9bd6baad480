"""Warns about commands with an unexpected effect: the command replaces the shell, hides a failure, or has an
unusual blank.
"""

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.grammar.syntax import Execute
from trainsh_dsl.text.control_characters import unusual_blank
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.simple_commands import Simple, joined, scanned, simple_commands

_SHELLS = frozenset(("bash", "sh", "zsh", "fish", "dash", "ksh", "$SHELL", "${SHELL}"))
_SHELL_FLAGS = frozenset(("-l", "-i", "-li", "-il", "--login"))
_ONLY_PRINT = frozenset(("echo", "printf", "cat", "yes", "date", "env", "history"))
_WORTH_A_LOOK = lazy(r"\btee\b|\bexec\b|\bpipefail\b|(?:^|[\s;&|/\"])(?:bash|sh|zsh|fish|\$SHELL)\b")


class CommandHabits:
    """Checks each command, in the order of the steps."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self._pipefail: set[str] = set()  # sessions in which a step has set pipefail

    def check(self, node: Execute) -> None:
        """Report W105, W106 and W107 for one step."""
        blank = unusual_blank(node.raw)
        if blank is not None:
            at = self._at(node) + blank[0]
            self.findings.add(
                "W105", at, at + 1, f"{blank[1]} looks like a space, but the shell reads it as a letter",
                "write a plain space",
            )  # fmt: skip
        if not _WORTH_A_LOOK.search(node.raw):
            return
        scan = scanned(node.raw)
        if scan.problem is not None:
            return
        commands = simple_commands(joined(scan))
        self._shells(node, commands)
        self._pipes(node, commands)

    def opened(self, session: str) -> None:
        """Forget what steps have set in `session`, because it now has a new shell."""
        self._pipefail.discard(session)

    def _at(self, node: Execute) -> int:
        """The offset at which the command of a step begins."""
        return max(node.start, self.findings.source.text.find(node.raw, node.start))

    def _shells(self, node: Execute, commands: list[Simple]) -> None:
        for simple in commands:
            argv = [word.strip("\"'") for word in simple.argv()]
            words = argv[1:] if argv[:1] == ["exec"] else argv
            if not words or simple.reads_pipe or words[0].rsplit("/", 1)[-1] not in _SHELLS:
                continue
            if not all(word in _SHELL_FLAGS for word in words[1:]):
                continue  # this `bash` runs a script or a command, so it does not replace the shell
            if len(words) < len(argv):
                message = f"{' '.join(argv)} replaces the shell that runs the steps: the session ends with it"
                hint = "remove this step; to read changed settings: source ~/.bashrc, or open a new session"
            else:
                message = (
                    f"{words[0]} waits for commands from the terminal: the step ends only when somebody types exit"
                )
                hint = f"remove this step, or give it a command: {words[0]} -c 'COMMAND'"
            at = self._at(node)
            self.findings.add("W106", at, at + len(node.raw), message, hint)
            return

    def _pipes(self, node: Execute, commands: list[Simple]) -> None:
        for simple in commands:
            if simple.argv()[:1] == ["set"] and "pipefail" in simple.words:
                self._pipefail.add(node.session)
        if node.session in self._pipefail or "PIPESTATUS" in node.raw:
            return
        first: Simple | None = None
        for simple in commands:
            first = simple if not simple.reads_pipe else first
            program = first.argv()[:1] if first is not None else []
            last = simple.reads_pipe and not simple.writes_pipe
            if last and simple.argv()[:1] == ["tee"] and program and program[0] not in _ONLY_PRINT:
                at = self._at(node)
                self.findings.add(
                    "W107", at, at + len(node.raw),
                    f"the status of this pipeline is that of tee: when {program[0]} fails, the step is ok",
                    "write set -o pipefail in a step before this one",
                )  # fmt: skip
                return
