"""How ssh reaches a session of Google's program: through `train-colab proxy`."""

import shlex

from trainsh_base.remote.target import Target, ssh_target
from trainsh_base.tool.peer import find as program
from trainsh_colab.google import program as google
from trainsh_colab.google.program import Session

USER = "root"


def target(session: Session) -> Target:
    """Return the target of a session.

    Its host key belongs to the runtime (`machine`), not to the session's name.
    """
    proxy = shlex.join([program("colab"), "proxy", session.name]).replace("%", "%%")
    machine = f"colab-{session.endpoint}"
    argv = ["ssh", "-o", f"ProxyCommand={proxy}", "-o", f"HostKeyAlias={machine}", f"{USER}@{session.name}"]
    return ssh_target(
        f"colab:{session.name}", argv, label=f"colab:{session.name}", rented=True, bootstrap=True, machine=machine
    )


def proxy_words(name: str) -> list[str]:
    """Return the argv for ssh's ProxyCommand. Raises NotFound if the session does not exist any more."""
    google.find(name)
    return google.ssh_words(name)
