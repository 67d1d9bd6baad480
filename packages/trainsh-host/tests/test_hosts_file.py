"""A hosts.toml that version 0.9 wrote is read, and a change of a host leaves every other byte alone."""

import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsh_base.errors import Conflict, NotFound, TrainError, UsageError
from trainsh_host.adding import editing
from trainsh_host.store import hosts_file
from trainsh_host.store.toml_tables import append, cut, find_tables

OLD = '''\
# my machines, in the order I got them

# the first one
[[hosts]]
id = "6f1c0d2e-0000-4000-8000-000000000001"   # keep
name = "gpu"
type = "ssh"
hostname = "1.2.3.4"
port = 41022
username = "root"
auth_method = "key"
ssh_key_path = "~/.ssh/id_rsa"
jump_host = ""
is_favorite = true
notes = """
rented;
[[hosts]]
not a table
"""
vast_instance_id = ""
gpu_count = 2
disk_gb = 100.5
hourly_rate = 0.25
my_own_key = { a = [1, 2], b = "x" }

# for notebooks # really
[[hosts]]
name = "colab"
type = "colab"
hostname = "abc.trycloudflare.com"
[hosts.env_vars]
tunnel_type = "cloudflared"

  [[ hosts ]]  # indented
  name = 'rented'
  type = "vastai"
  vast_instance_id = 123
  vast_status = "running"
  tags = [
    "a",  # [[hosts]]
    "b",
  ]

# the end
'''


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path))
    path = tmp_path / "hosts.toml"
    path.write_text(OLD)
    path.chmod(0o600)
    return path


def test_an_old_file_is_read_whole(file: Path) -> None:
    raws = hosts_file.load_raw()
    assert hosts_file.names(raws) == ["gpu", "colab", "rented"]
    gpu, colab, rented = map(hosts_file.as_host, raws)
    six = msgspec.structs.replace(gpu, hostname="2001:db8::1")
    assert six.address == "root@[2001:db8::1]:41022"
    assert gpu.address == "root@1.2.3.4:41022" and gpu.is_favorite and gpu.ssh_key_path == "~/.ssh/id_rsa"
    assert colab.env_vars == {"tunnel_type": "cloudflared"} and colab.port == 22
    assert rented.instance_id == 123 and rented.tags == ["a", "b"]


def test_add_only_adds_at_the_end(file: Path) -> None:
    hosts_file.add({"name": "new", "type": "ssh", "hostname": "h", "env_vars": {"odd key": "v"}})
    assert file.read_text().startswith(OLD)
    added = tomllib.loads(file.read_text())["hosts"][-1]
    assert added == {"name": "new", "type": "ssh", "hostname": "h", "env_vars": {"odd key": "v"}}


def test_remove_is_the_opposite_of_add(file: Path) -> None:
    hosts_file.add({"name": "new", "type": "ssh"})
    hosts_file.remove("new")
    assert file.read_text() == OLD


@pytest.mark.parametrize("name", ["gpu", "colab", "rented"])
def test_remove_takes_out_one_table_and_no_comment_of_another(file: Path, name: str) -> None:
    hosts_file.remove(name)
    text = file.read_text()
    left = [other for other in ("gpu", "colab", "rented") if other != name]
    assert hosts_file.names(hosts_file.load_raw()) == left
    for comment in ("# my machines", "# the first one", "# for notebooks # really", "# the end"):
        assert comment in text
    assert all(line in OLD.splitlines() for line in text.splitlines())


@pytest.mark.parametrize("name", ["gpu", "colab", "rented"])
def test_edit_changes_one_value_and_nothing_else(file: Path, name: str) -> None:
    hosts_file.update(name, {"hostname": "changed.example"}, [])
    before, after = OLD.splitlines(), file.read_text().splitlines()
    assert [line for line in after if line not in before] == [
        next(line for line in after if "changed.example" in line)
    ]
    gone = [line for line in before if line not in after]
    assert len(gone) <= 1 and all("hostname" in line for line in gone)
    raw = hosts_file.get_raw(name)
    assert raw["hostname"] == "changed.example"


def test_edit_keeps_a_comment_beside_a_key(file: Path) -> None:
    hosts_file.update("gpu", {"id": "x"}, ["my_own_key"])
    assert 'id = "x"   # keep' in file.read_text()
    assert "my_own_key" not in file.read_text()


def test_line_ends_of_windows_stay(file: Path) -> None:
    file.write_bytes(OLD.replace("\n", "\r\n").encode())
    hosts_file.add({"name": "new", "type": "ssh"})
    hosts_file.update("colab", {"port": 5}, [])
    hosts_file.remove("new")
    data = file.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert hosts_file.names(hosts_file.load_raw()) == ["gpu", "colab", "rented"]


def test_a_name_is_taken_once(file: Path) -> None:
    with pytest.raises(Conflict):
        hosts_file.add({"name": "gpu", "type": "ssh"})
    with pytest.raises(Conflict):
        hosts_file.update("colab", {"name": "gpu"}, [])
    assert file.read_text() == OLD


def test_an_unknown_name_names_the_nearest(file: Path) -> None:
    with pytest.raises(NotFound) as caught:
        hosts_file.get_raw("gpuu")
    assert caught.value.hint == "did you mean gpu?"
    with pytest.raises(NotFound):
        hosts_file.remove("nobody")


@pytest.mark.parametrize(
    "text", ["[[hosts]\nname = 1\n", "hosts = 3\n", "[hosts]\nname = 'x'\n", "[[hosts]]\nname = \n", "\x00"]
)
def test_a_file_that_does_not_parse_is_never_overwritten(file: Path, text: str) -> None:
    file.write_text(text)
    for change in (
        lambda: hosts_file.add({"name": "a", "type": "ssh"}),
        lambda: hosts_file.remove("a"),
        lambda: hosts_file.update("a", {}, []),
    ):
        with pytest.raises(UsageError):
            change()
    assert file.read_text() == text


def test_hosts_written_as_an_inline_list_are_read_and_not_broken(file: Path) -> None:
    text = "hosts = [{ name = 'a', type = 'ssh', hostname = 'h' }]\n"
    file.write_text(text)
    assert hosts_file.names(hosts_file.load_raw()) == ["a"]
    for change in (lambda: hosts_file.add({"name": "b", "type": "ssh"}), lambda: hosts_file.remove("a")):
        with pytest.raises(TrainError):
            change()
    assert file.read_text() == text


def test_one_bad_table_does_not_hide_the_others(file: Path) -> None:
    file.write_text(OLD + "\n[[hosts]]\nname = 'bad'\nport = 'x'\n")
    assert hosts_file.as_host(hosts_file.get_raw("gpu")).name == "gpu"
    with pytest.raises(UsageError, match=r"bad.*port"):
        hosts_file.as_host(hosts_file.get_raw("bad"))


def test_the_mode_and_the_link_of_the_file_stay(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    file.rename(real)
    file.symlink_to(real)
    real.chmod(0o640)
    hosts_file.add({"name": "new", "type": "ssh"})
    assert file.is_symlink() and real.stat().st_mode & 0o777 == 0o640


def test_a_new_file_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path / "new"))
    hosts_file.add({"name": "a", "type": "ssh", "notes": 'quote " back \\ newline \n del \x7f é'})
    path = tmp_path / "new" / "hosts.toml"
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert hosts_file.get_raw("a")["notes"] == 'quote " back \\ newline \n del \x7f é'


def test_200_adds_side_by_side_lose_nothing(tmp_path: Path) -> None:
    script = (
        "import sys; from trainsh_host.store import hosts_file\n"
        "for n in range(25): hosts_file.add({'name': f'h{sys.argv[1]}x{n}', 'type': 'ssh', 'hostname': 'h'})"
    )
    env = {"TRAINSH_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    running = [subprocess.Popen([sys.executable, "-c", script, str(number)], env=env) for number in range(8)]
    assert [child.wait(120) for child in running] == [0] * 8
    hosts = tomllib.loads((tmp_path / "hosts.toml").read_text())["hosts"]
    assert {host["name"] for host in hosts} == {f"h{a}x{b}" for a in range(8) for b in range(25)}
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("hosts.toml", ".hosts.toml.lock")] == []


def test_adds_and_removes_side_by_side(tmp_path: Path) -> None:
    script = (
        "import sys; from trainsh_host.store import hosts_file\n"
        "for n in range(20):\n"
        "    hosts_file.add({'name': f'h{sys.argv[1]}x{n}', 'type': 'ssh'})\n"
        "    n % 2 or hosts_file.remove(f'h{sys.argv[1]}x{n}')"
    )
    env = {"TRAINSH_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    running = [subprocess.Popen([sys.executable, "-c", script, str(number)], env=env) for number in range(4)]
    assert [child.wait(120) for child in running] == [0] * 4
    hosts = tomllib.loads((tmp_path / "hosts.toml").read_text())["hosts"]
    assert len(hosts) == 40


def test_editing_checks_before_it_writes(file: Path) -> None:
    with pytest.raises(UsageError):
        editing.change("gpu", {"port": "many"}, [])
    with pytest.raises(UsageError, match="nope"):
        editing.change("gpu", {}, ["nope"])
    with pytest.raises(UsageError):
        editing.change("gpu", {}, ["name"])
    assert file.read_text() == OLD


def test_an_edited_table_takes_the_place_of_the_old(file: Path) -> None:
    before = hosts_file.table_text("colab")
    hosts_file.swap("colab", before, before.replace("abc.", "xyz."))
    assert file.read_text() == OLD.replace("abc.", "xyz.")
    with pytest.raises(Conflict):
        hosts_file.swap("colab", before, before)


PIECES = st.sampled_from([
    "[[hosts]]\nname = 'N'\n", "# a comment\n", "\n", "[other]\nx = 1\n",
    "[[hosts]]\nname = 'N'\n[hosts.env_vars]\na = 1\n",
    "[[hosts]]\nname = \"N\"\nnotes = '''\n[[hosts]]\n'''\n", "[[hosts]] # c\ntags = [\n[1],\n]\nname = 'N'\n",
    "[[others]]\nx = '[[hosts]]'\n",
])  # fmt: skip


@given(st.lists(PIECES, max_size=7))
def test_every_table_is_found_and_can_be_cut_out_alone(pieces: list[str]) -> None:
    seen: set[str] = set()
    parts = []
    for number, piece in enumerate(pieces):
        if piece == "[other]\nx = 1\n" and piece in seen:
            continue
        seen.add(piece)
        parts.append(piece.replace("N", f"n{number}"))
    text = "".join(parts)
    document = tomllib.loads(text)
    hosts = document.get("hosts", [])
    tables = find_tables(text)
    assert len(tables) == len(hosts)
    assert (
        cut(append(text, "[[hosts]]\nname = 'z'\n"), find_tables(append(text, "[[hosts]]\nname = 'z'\n"))[-1])
        == text
    )
    for index, table in enumerate(tables):
        left = tomllib.loads(cut(text, table))
        assert left.get("hosts", []) == hosts[:index] + hosts[index + 1 :]
        assert {key: value for key, value in left.items() if key != "hosts"} == {
            key: value for key, value in document.items() if key != "hosts"
        }
