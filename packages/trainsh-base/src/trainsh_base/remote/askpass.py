"""Answers the questions that ssh asks while it logs in: passwords, passphrases, host keys.

ssh runs the small program `askpass` beside this module. `askpass` writes the question to a file in a private folder
and reads the answer from a FIFO in that folder. The answer comes from the person, through the request.
"""

import contextlib
import os
import re
import shlex
import time
from collections.abc import Callable

import msgspec

from trainsh_base.errors import CredentialError, TrainError, Unreachable
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system.paths import runtime_folder

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "askpass")  # noqa: PTH100, PTH118, PTH120
_HOST_KEY = re.compile(r"The authenticity of host .*\(yes/no", re.DOTALL)
HAND_BACK = 5.0


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """The user and the host of a login, and the jump hosts or the proxy on the way.

    All are as `ssh -G` prints them.
    """

    user: str = ""
    hosts: frozenset[str] = frozenset()
    way: str = ""

    def asks_password(self, prompt: str) -> bool:
        """Whether `prompt` asks for the password of exactly this user on exactly this host.

        ssh's own prompt is `USER@HOST's password: `. Since OpenSSH 8.5, ssh puts `(USER@HOST) ` before a prompt
        that the server sent. Older versions put nothing before it.
        """
        for host in self.hosts:
            who = re.escape(f"{self.user}@{host}")
            question = rf"(?:\({who}\) )?(?:{who}'s )?password(?: for (?:{who}|{re.escape(self.user)}))?:\s*"
            if re.fullmatch(question, prompt, re.IGNORECASE):
                return True
        return False


class Questions:
    """The questions of one login. The folder for questions and answers is removed at the end of a `with` block.

    A question comes from the ssh process of the login, whose pid is `ssh_pid` as soon as that process runs. It may
    also come from a further ssh process that the first one started for a jump host or a proxy.
    """

    def __init__(self, target: Target, request: Request, login: Login) -> None:
        self._target = target
        self._request = request
        self._login = login
        self._folder = f"{runtime_folder()}/q-{os.getpid()}-{time.monotonic_ns()}"
        self._stored_used = False
        self._tried: set[str] = set()  # the questions for a secret that were asked already
        self.ssh_pid = 0
        self.asked = 0.0

    def __enter__(self) -> "Questions":
        os.mkdir(self._folder, 0o700)  # noqa: PTH102 - its name is text
        return self

    def __exit__(self, *_: object) -> None:
        # An `askpass` that has not ended with ssh may still be writing a question. It fails when the folder is
        # gone.
        with contextlib.suppress(OSError):
            for entry in os.scandir(self._folder):
                os.unlink(entry.path)  # noqa: PTH108
            os.rmdir(self._folder)  # noqa: PTH106

    def environment(self) -> dict[str, str]:
        """Return the variables that make ssh run `askpass`. An ssh before 8.4 runs it only if DISPLAY is set."""
        return {
            "DISPLAY": os.environ.get("DISPLAY") or "none",
            "SSH_ASKPASS": PROGRAM,
            "SSH_ASKPASS_REQUIRE": "force",
            "TRAINSH_ASK_FOLDER": self._folder,
            "TRAINSH_ASK_PID": str(os.getpid()),
        }

    def serve(self) -> None:
        """Answer the questions that are waiting. Add to `asked` the seconds that people needed for the answers.

        Raises CredentialError if the request is not interactive.
        """
        for entry in list(os.scandir(self._folder)):
            if entry.name.startswith("question."):
                began = time.monotonic()
                self._answer(entry.path)
                self.asked += time.monotonic() - began

    def _answer(self, path: str) -> None:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            asker, kind, prompt = (file.read() + "\n\n").split("\n", 2)
        os.unlink(path)  # noqa: PTH108
        answer_path = path.replace("question.", "answer.")
        try:
            reply = self._reply(asker == str(self.ssh_pid), kind, prompt.strip("\n"))
        except BaseException:
            _hand_back(answer_path, None)
            raise
        _hand_back(answer_path, reply)

    def _reply(self, own: bool, kind: str, prompt: str) -> str | None:
        """Return the answer to `prompt`. Return None to make `askpass` fail, because there is no answer.

        `own` is true if the ssh process of this login asks, and false if an ssh for a jump host or a proxy asks.
        """
        who = self._target.label if own else f"on the way to {self._target.label} ({self._login.way or 'a proxy'})"
        if kind == "none":
            self._request.emit("log", message=f"{who}: {prompt.strip()}")
            return None
        if kind == "confirm":
            return "" if self._ask("confirm", who, prompt.strip(), own) == "yes" else None
        if _HOST_KEY.match(prompt):
            facts = prompt[: prompt.rfind("\n")].strip() if "\n" in prompt else prompt
            return self._ask("confirm", who, f"{facts}\nConnect to it?", own)
        if own and self._target.secret and self._login.asks_password(prompt):
            return self._stored()
        return self._ask("secret", who, prompt.strip().rstrip(": "), own)

    def _stored(self) -> str:
        name = self._target.secret or ""
        if self._stored_used:
            raise CredentialError(
                f"{self._target.label} refused the password stored as {name}",
                f"store the right one: train secrets set {shlex.quote(name)}",
                code="password_refused", data={"secret": name},
            )  # fmt: skip
        from trainsh_base.tool.peer import SECRET_LIMIT, call  # noqa: PLC0415 - few hosts have a stored password

        self._stored_used = True
        return str(call("secrets", "get", {"name": name}, timeout=SECRET_LIMIT)["value"])

    def _ask(self, kind: str, who: str, prompt: str, own: bool) -> str:
        again = "not accepted, please try again: " if kind == "secret" and prompt in self._tried else ""
        self._tried.add(prompt)
        try:
            default = "no" if kind == "confirm" else None
            return self._request.ask(kind, f"{who}: {again}{prompt}", default=default)
        except TrainError as error:
            if error.code != "cannot_ask":
                raise
            raise _nobody(self._target, kind, f"{who}: {prompt}", own) from None


def _nobody(target: Target, kind: str, question: str, own: bool) -> TrainError:
    if kind == "confirm":
        first = question.splitlines()[0]
        return Unreachable(
            f"the host key of {target.label if own else first.partition(': ')[0]} is not known, and there is "
            f"no terminal on which to confirm it: {first}",
            f"connect once by hand to check it: {shlex.join(target.argv)}", code="host_key_unknown",
        )  # fmt: skip
    store = f"; or store the password: train secrets set NAME, train host edit {shlex.quote(target.name)} "
    return CredentialError(
        f"not interactive: cannot ask {question}",
        "use a key: ssh-copy-id, or ssh-add for its passphrase" + (store + "--password-secret NAME" if own else ""),
        code="cannot_ask_password",
    )


def _hand_back(path: str, reply: str | None) -> None:
    """Write the answer into the FIFO at `path` when `askpass` reads from it. Do nothing if `askpass` has ended."""
    text = "no\n" if reply is None else f"yes\n{reply}\n"

    def written() -> bool:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        with contextlib.closing(os.fdopen(handle, "wb", buffering=0)) as fifo, contextlib.suppress(BrokenPipeError):
            fifo.write(text.encode())
        return True

    _soon(written)


def _soon(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HAND_BACK
    while not done() and time.monotonic() < deadline:
        time.sleep(0.01)
