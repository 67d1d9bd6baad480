"""What the shell of a reopened session gets back, and what is reported about the rest."""

import os
import signal
import subprocess

import pytest
from trainsh_world import World

from far_box import Far
from tmux_box import Box, holding, wait_until, without_bash
from trainsh_tmux import cli

# (a step that sets something, a step that asks for it in a new shell, what that step prints)
KEPT = {
    "a plain variable": ("N=5", 'echo "$N"', "5"),
    "one of several lines": ("N=$'a \"b\\n $c\\1'", 'printf "%s" "$N" | od -An -c | tr -d " \\n"; echo', 'a"b\\n$c001'),
    "it is not exported": ("N=5", "printenv N || echo no", "no"),
    "an export, and one that was taken back": ("export A=1; export -n HOME", "sh -c 'echo $A${HOME-none}'", "1none"),
    "an array": ("a=(1 '2 3' '*')", 'echo "${#a[@]} ${a[1]} ${a[2]}"', "3 2 3 *"),
    "an empty array": ("a=()", "declare -p a", "declare -a a=()"),
    "an associative array": ("declare -A m=([x y]=1)", 'echo "${m[x y]}"', "1"),
    "attributes": ("declare -i n=3; declare -u U=up", 'n=n+4; U=$U-er; echo "$n $U"', "7 UP-ER"),
    "declared without a value": ("declare -A m; declare -i n", 'm[x]=1; n=2+3; echo "${m[x]} ${!m[*]} $n"', "1 x 5"),
    "a reference": ("T=5; declare -n r=T", 'r=6; echo "$T"', "6"),
    "read-only": ("readonly R=5", "(R=6) 2>/dev/null || echo $R", "5"),
    "IFS": ("IFS=,", 'x=a,b; set -- $x; echo "$#"', "2"),
    "removed variables": ("unset LOGIN_EXPORT LOGIN_PLAIN", 'echo "<${LOGIN_EXPORT-}${LOGIN_PLAIN-}>"', "<>"),
    "removed functions and aliases": ("unset -f login_f; unalias login_a", "type login_f login_a 2>&1 | grep -c 'not found'", "2"),
    "functions": ("shopt -s extglob\nf() { case $1 in +(a|b)) echo ab;; esac; }; shopt -u extglob", "shopt -s extglob; f aab", "ab"),
    "a function that an alias hides": ("f() { echo f; }; alias f='echo a'", "\\f", "f"),
    "an exported function": ("f() { echo f; }; export -f f", "bash -c f", "f"),
    "an alias": ("alias hi=\"echo 'it''s'\"", "hi", "its"),
    "traps": ("trap 'echo usr' USR1; trap 'echo err' ERR", "kill -USR1 $$; false; :", "usr\nerr"),
    "positional parameters": ("set -- a 'b c' ''", 'echo "$# $2"', "3 b c"),
    "options": ("set -u -o pipefail; shopt -s nullglob", 'echo "$-$(echo /nosuch*)" | tr -cd u/; false | true; echo $?', "u1"),
    "folders": ("cd /usr; pushd /tmp >/dev/null; pushd /var >/dev/null", "dirs; popd; cd -", "/var /tmp /usr\n/tmp /usr\n/var"),
    "limits": ("ulimit -S -n 77; ulimit -c 0; umask 027", "ulimit -S -n; umask", "77\n0027"),
    "the prompt": ("PS1='mine> '; PROMPT_COMMAND=(one two)", "echo \"$PS1${PROMPT_COMMAND[1]}\"", "mine> two"),
    "an option of ours is no export of theirs": ("export PAGER=less", 'echo "$PAGER"', "less"),
}  # fmt: skip


def ready(box: Box) -> None:
    (box.home / ".bash_profile").write_text(
        "export LOGIN_EXPORT=1; LOGIN_PLAIN=1; login_f() { :; }; alias login_a=:\n"
    )
    box.open()


@pytest.mark.parametrize("state", KEPT)
def test_it_is_there_in_the_new_shell(box: Box, state: str) -> None:
    sets, asks, said = KEPT[state]
    ready(box)
    assert box.run(sets, step="001-1").state == "ok"
    box.call(cli.close, "w")
    session = box.open(restore=True)
    assert (session.restored, session.covers, session.left_out) == (True, "001-1", [])
    assert box.text(asks, step="002-1") == said + "\n"


def test_all_of_it_twice(box: Box) -> None:
    """A snapshot of a restored shell is as good as the first. The server is killed, not closed."""
    ready(box)
    box.run("N=5; a=(1 2); trap 'echo usr' USR1; set -- x y; export E=1; f() { echo f; }", step="001-1")
    box.covered("001-1")
    for end in (box.kill_server, lambda: box.call(cli.close, "w"), box.kill_server):
        end()
        assert box.open(restore=True).covers == "001-1"
    assert box.text('f; echo "$N ${a[1]} $2 $E"; kill -USR1 $$') == "f\n5 2 y 1\nusr\n"


def test_over_ssh(world: World) -> None:
    far = Far(world, world.sshd("box"))
    far.open()
    far.run("cd /usr; N=5; a=(1 '2 3'); f() { echo f; }", step="001-1")
    far.covered("001-1")
    far.kill_server()
    session = far.open(restore=True)
    assert session.restored and session.covers == "001-1"
    assert far.text('f; echo "$PWD $N ${a[1]}"') == "f\n/usr 5 2 3\n"
    far.call(cli.close, "w", host=far.host)
    far.registry.close()


def test_a_virtual_environment_can_be_left_again(box: Box) -> None:
    subprocess.run(["python3", "-m", "venv", "--without-pip", str(box.home / "venv")], check=True)
    ready(box)
    before = box.text("echo $PATH; echo ${PYTHONHOME-none}")
    box.run("export PYTHONHOME=/nowhere; source venv/bin/activate", step="001-1")
    box.covered("001-1")
    box.kill_server()
    assert box.open(restore=True).covers == "001-1"
    assert box.text('command -v python; echo "$VIRTUAL_ENV"') == f"{box.home}/venv/bin/python\n{box.home}/venv\n"
    assert box.run("deactivate").state == "ok"
    assert box.text("echo $PATH; echo $PYTHONHOME") == before.replace("none", "/nowhere")
    assert box.run("type deactivate").state == "failed" and f"{box.home}/venv" not in box.text("command -v python3")


SECRET = "very-secret-value"
HIDING = {
    "a plain variable": ('COPY="x-$KEY"', ["COPY"]),
    "an array": ('a=(1 "$KEY")', ["a"]),
    "a key": ('declare -A m=(["$KEY"]=1)', ["m"]),
    "a function": ('eval "f() { echo $KEY; }"', ["f()"]),
    "an alias": ('alias hi="echo $KEY"', ["alias:hi"]),
    "a trap": ('trap "echo $KEY" USR1', ["traps"]),
    "a trap of errors": ('trap "echo $KEY" ERR', ["traps"]),
    "positional parameters": ('set -- 1 "$KEY"', ["positional"]),
    "read-only": ("readonly KEY", ["KEY"]),
}  # fmt: skip


@pytest.mark.parametrize("value", [SECRET, f'{SECRET}"$x\n\\'], ids=["plain", "quoted"])
@pytest.mark.parametrize("state", HIDING)
def test_what_holds_a_secret_is_left_out_and_named(box: Box, state: str, value: str) -> None:
    sets, names = HIDING[state]
    if value != SECRET and names[0] in ("f()", "alias:hi", "traps"):
        sets = sets.replace("$KEY", "${KEY@Q}")
        value = f"{SECRET} x"
    box.open()
    box.run("g() { echo g; }; PLAIN=1; alias there='echo there'")
    box.run(sets, secrets={"KEY": value}, step="001-1")
    box.run('[ -z "${COPY-}" ] || { THIRD=${COPY#x-}; FOURTH=$COPY-y; }', step="002-1")
    box.call(cli.close, "w")
    assert not [path for path in holding(box.session(), SECRET) if not path.name.startswith("log.")]
    session = box.open(restore=True)
    more = ["FOURTH", "THIRD"] if "COPY" in names else []
    assert session.restored and sorted(session.left_out) == sorted([*names, *more])
    assert box.text("g; there; echo $PLAIN${COPY-}") == "g\nthere\n1\n"
    box.call(cli.close, "w")
    assert sorted(box.open(restore=True).left_out) == sorted([*names, *more]), "it is still not there"


def test_open_descriptors_are_named(box: Box) -> None:
    box.open()
    box.run("exec 3>three 2>errors", step="001-1")
    box.call(cli.close, "w")
    assert sorted(box.open(restore=True).left_out) == ["fd:2", "fd:3"]


def test_a_shell_without_a_step_covers_none(box: Box) -> None:
    """A session that was opened and closed without a step has a snapshot.

    It must not count as the snapshot of an earlier shell.
    """
    box.open()
    box.call(cli.close, "w")
    assert box.open(restore=True).covers == ""


@pytest.mark.parametrize("trap", ["", "trap 'x=2' USR1; "], ids=["no trap", "a trap"])
def test_a_close_writes_it_again_only_if_it_may_be_out_of_date(box: Box, trap: str) -> None:
    box.open()
    box.run(f"{trap}x=1", step="001-1")
    snapshot = box.session() / "snapshot"
    wait_until(snapshot.exists, "the snapshot of an idle shell")
    first = snapshot.stat().st_ino
    if trap:
        os.kill(int((box.session() / "shell").read_text().split()[0]), signal.SIGUSR1)
    box.call(cli.close, "w")
    assert (snapshot.stat().st_ino == first) == (not trap)
    assert box.open(restore=True).covers == "001-1"
    assert box.text("echo $x") == ("2\n" if trap else "1\n")


@pytest.mark.parametrize("harm", ["its folder is gone", "no bash can read it", "there is no bash"])
def test_a_snapshot_that_cannot_be_restored(box: Box, harm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    box.open()
    box.run("mkdir sub; cd sub; N=5", step="001-1")
    box.call(cli.close, "w")
    if harm == "its folder is gone":
        (box.home / "sub").rmdir()
    elif harm == "no bash can read it":
        path = box.session() / "snapshot"
        path.write_text(path.read_text() + "if\n")
    else:
        plain(box, monkeypatch, "dash")
    assert box.call(cli.holds, sessions=["w"]).sessions["w"].covers is None
    session = box.open(restore=True)
    assert (session.restored, session.covers) == (False, None)
    assert box.text('echo "<${N-}>"') == "<>\n"


def test_a_snapshot_that_ends_early_is_not_taken_for_restored(box: Box) -> None:
    box.open()
    box.run("N=5", step="001-1")
    box.call(cli.close, "w")
    path = box.session() / "snapshot"
    path.write_text(path.read_text().replace("\n\\builtin dirs", "\nreturn\n\\builtin dirs", 1))
    assert box.open(restore=True).restored is False


def plain(box: Box, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    """A machine without bash."""
    without_bash(box, monkeypatch, shell)
    box.forget()


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_a_plain_sh_has_no_snapshot_and_says_so(box: Box, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    plain(box, monkeypatch, shell)
    box.open()
    box.run("N=5; export E=1", step="001-1")
    box.call(cli.close, "w")
    assert box.call(cli.holds, sessions=["w"]).sessions["w"].covers is None
    session = box.open(restore=True)
    assert session.fresh and not session.restored and session.covers is None
