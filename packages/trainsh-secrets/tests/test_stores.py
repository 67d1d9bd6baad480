"""What every store that can be written does: one suite, run against the real keyring and the encrypted file."""

import contextlib
import subprocess
import time
from pathlib import Path
from types import ModuleType

import keyring
import pytest

from trainsh_base.errors import CredentialError
from trainsh_secrets import ring as ring_store
from trainsh_secrets import vault

VALUES = [
    pytest.param("hf_abc123", id="token"),
    pytest.param("-----BEGIN KEY-----\nline\n\n-----END KEY-----\n", id="lines"),
    pytest.param(" space before and after ", id="spaces"),
    pytest.param("päss ワード 🔑 \"'`$(x)\\", id="unicode-and-quotes"),
    pytest.param("x" * 100_000, id="100-kB"),
]


@pytest.fixture(params=["keyring", "file"])
def store(request: pytest.FixtureRequest) -> ModuleType:
    request.getfixturevalue("ring" if request.param == "keyring" else "file")
    return ring_store if request.param == "keyring" else vault


@pytest.mark.parametrize("value", VALUES)
def test_a_value_comes_back_as_it_was(store: ModuleType, value: str) -> None:
    store.put({"SOME": value})
    assert store.get("SOME") == value
    assert store.delete("SOME") is True
    assert store.get("SOME") is None


def test_what_is_not_there_is_none_and_cannot_be_deleted(store: ModuleType) -> None:
    assert store.get("NOBODY") is None
    assert store.delete("NOBODY") is False


def test_several_at_once_and_a_new_value_replaces_the_old(store: ModuleType) -> None:
    store.put({"A": "1", "B": "2"})
    store.put({"B": "3"})
    assert (store.get("A"), store.get("B")) == ("1", "3")
    for name in "AB":
        store.delete(name)


def test_a_key_that_0_9_wrote_is_found(ring: object) -> None:
    keyring.set_password("tmux-trainsh", "VAST_API_KEY", "from 0.9")
    assert ring_store.get("VAST_API_KEY") == "from 0.9"
    assert "VAST_API_KEY" in ring_store.names()
    ring_store.delete("VAST_API_KEY")


def test_own_names_are_remembered_for_keyrings_that_cannot_list(ring: object, home: Path) -> None:
    ring_store.put({"MINE": "secret value"})
    assert (home / "keyring.names").read_text() == "MINE\n"
    ring_store.delete("MINE")


def test_a_locked_keyring_says_so(locked_ring: object) -> None:
    with pytest.raises(CredentialError, match="the keyring is locked") as caught:
        ring_store.get("LOCKED_AWAY")
    assert caught.value.code == "keyring_locked"
    with pytest.raises(CredentialError, match="the keyring is locked"):
        ring_store.put({"NEW": "x"})


def test_without_a_keyring_there_is_none_and_nothing_is_stored() -> None:
    assert not ring_store.usable()
    assert ring_store.get("SOME") is None
    with pytest.raises(CredentialError, match="this machine has no keyring"):
        ring_store.put({"SOME": "x"})


def test_a_bus_that_is_dead_counts_as_no_keyring_or_says_what_failed(
    ring: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    with pytest.raises(CredentialError, match="the keyring"):
        ring_store.get("SOME")


class Forgetful(keyring.backend.KeyringBackend):
    """A keyring that stores nothing and raises no error, as a real one does when its disk is full."""

    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        return None


def test_a_keyring_that_forgets_is_an_error_and_not_a_loss() -> None:
    keyring.set_keyring(Forgetful())
    with pytest.raises(CredentialError, match="did not keep SOME"):
        ring_store.put({"SOME": "x"})


def test_age_itself_opens_the_file(file: Path, tmp_path: Path, sealed: bytes) -> None:
    """The format is age's: the identity inside the key file opens secrets.age with pyrage alone."""
    import pyrage

    def opened() -> str:
        # It refuses what it takes for too much work, and takes it for that on a busy machine.
        with contextlib.suppress(pyrage.DecryptError):
            return str(pyrage.passphrase.decrypt(sealed, "a password").decode().strip())
        return ""

    deadline = time.monotonic() + 60
    while not (key := opened()):
        assert time.monotonic() < deadline
    identity = pyrage.x25519.Identity.from_str(key)
    assert b'"FIRST": "1"' in pyrage.decrypt(file.read_bytes(), [identity])
    assert (
        subprocess.run(["head", "-1", file], capture_output=True, check=True).stdout == b"age-encryption.org/v1\n"
    )
