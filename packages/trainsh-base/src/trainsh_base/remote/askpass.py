"""Questions that ssh asks while it logs in (passwords, passphrases, host keys), answered through the request.

ssh runs the little program `askpass` beside this module; that leaves its question as a file in a private folder
and reads the answer from a FIFO there.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable

from trainsh_base.errors import CredentialError, TrainError, Unreachable
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system.paths import runtime_home

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "askpass")  # noqa: PTH100, PTH118, PTH120
_YES_NO = re.compile(r"\(yes/no")
_PASSWORD = re.compile(r"password\W*$", re.IGNORECASE)
HAND_BACK = 5.0


class Questions:
    """The questions of one ssh process. A context: it removes its folder at the end."""

    def __init__(self, target: Target, request: Request) -> None:
        self._target = target
        self._request = request
        self._folder = f"{runtime_home()}/q-{os.getpid()}-{time.monotonic_ns()}"
        self._stored_used = False
        self.asked = 0.0

    def __enter__(self) -> "Questions":
        os.mkdir(self._folder, 0o700)  # noqa: PTH102 - its name is text
        return self

    def __exit__(self, *_: object) -> None:
        # A question that was just being asked when ssh ended may still be writing: it finds its folder gone.
        with contextlib.suppress(OSError):
            for entry in os.scandir(self._folder):
                os.unlink(entry.path)  # noqa: PTH108
            os.rmdir(self._folder)  # noqa: PTH106

    def environment(self) -> dict[str, str]:
        """What ssh needs to find us. DISPLAY: before 8.4 ssh asks no program without one."""
        return {
            "DISPLAY": os.environ.get("DISPLAY") or "none",
            "SSH_ASKPASS": PROGRAM,
            "SSH_ASKPASS_REQUIRE": "force",
            "TRAINSH_ASK_FOLDER": self._folder,
            "TRAINSH_ASK_PID": str(os.getpid()),
        }

    def serve(self) -> None:
        """Answer what is waiting; the seconds that people took are added to `asked`.

        Raises CredentialError when there is nobody to ask.
        """
        for entry in list(os.scandir(self._folder)):
            if entry.name.startswith("question."):
                began = time.monotonic()
                self._answer(entry.path)
                self.asked += time.monotonic() - began

    def _answer(self, path: str) -> None:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            kind, _, prompt = file.read().partition("\n")
        os.unlink(path)  # noqa: PTH108
        answer_path = path.replace("question.", "answer.")
        try:
            reply = self._reply(kind, prompt.strip())
        except TrainError:
            _hand_back(answer_path, None)
            raise
        _hand_back(answer_path, reply)

    def _reply(self, kind: str, prompt: str) -> str | None:
        if kind == "none":
            self._request.emit("log", message=f"{self._target.label}: {prompt}")
            return None
        if kind == "confirm":
            return "" if self._ask("confirm", prompt) == "yes" else None
        if _YES_NO.search(prompt):
            return self._ask("confirm", prompt[: prompt.rfind("\n")].strip() + "\nConnect to it?")
        if self._target.secret and _PASSWORD.search(prompt):
            return self._stored()
        return self._ask("secret", f"{self._target.label}: {prompt.rstrip(': ')}")

    def _stored(self) -> str:
        name = self._target.secret or ""
        if self._stored_used:
            raise CredentialError(
                f"{self._target.label} refused the password stored as {name}",
                f"store the right one: train secrets set {name}", code="password_refused", data={"secret": name},
            )  # fmt: skip
        from trainsh_base.tool.peer import call  # noqa: PLC0415 - few hosts have a stored password

        self._stored_used = True
        return str(call("secrets", "get", {"name": name})["value"])

    def _ask(self, kind: str, prompt: str) -> str:
        try:
            return self._request.ask(kind, prompt, default="no" if kind == "confirm" else None)
        except TrainError as error:
            if error.code != "cannot_ask":
                raise
            raise _nobody(self._target, kind, prompt) from None


def _nobody(target: Target, kind: str, prompt: str) -> TrainError:
    first = prompt.splitlines()[0]
    if kind == "confirm":
        return Unreachable(
            f"the host key of {target.label} is not known, and there is no terminal to ask on: {first}",
            f"connect once by hand to check it: ssh {' '.join(target.argv[1:])}", code="host_key_unknown",
        )  # fmt: skip
    return CredentialError(
        f"there is no terminal to ask on: {prompt}",
        "use a key: ssh-copy-id, or ssh-add for its passphrase; or store the password: "
        f"train secrets set NAME, train host edit {target.name} --password-secret NAME",
        code="cannot_ask_password",
    )


def _hand_back(path: str, reply: str | None) -> None:
    """Write the answer into the FIFO as soon as the program reads it; one that is gone needs none."""
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
