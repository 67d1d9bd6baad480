"""What each kind of statement becomes in the plan."""

from pathlib import Path

import msgspec
import pytest

from trainsh_base.errors import UsageError
from trainsh_base.remote.host_spec import parse_spec
from trainsh_dsl.analysis import Analysis, analyse
from trainsh_dsl.document.plan import Plan

PLAN = Path(__file__).parents[1] / "src/trainsh_dsl/document/plan.schema.json"
HEAD = "var A = one\nvar T = 90s\nhost h = local\nstorage out = r2:b\ntmux.open @h as w\n"


def analysed(body: str) -> Analysis:
    analysis = analyse(HEAD + body + "\n")
    assert analysis.ok, [(found.line, found.message) for found in analysis.diagnostics()]
    return analysis


def step(body: str) -> dict[str, object]:
    found = msgspec.to_builtins(analysed(body).plan().steps[1])
    return {key: value for key, value in found.items() if key not in ("text", "span")}


A = {"var": "A"}
STEPS = {
    "shell's dollars in single quotes": (
        "@w > awk '{print $1, $NF}' x\\*.log \"it's $A\"",
        {"command": ["awk '{print $1, $NF}' x\\*.log \"it's ", A, '"']},
    ),
    "escaped quotes": ('@w > echo \\"$A\\" "a \\" $A"', {"command": ['echo \\"', A, '\\" "a \\" ', A, '"']}),
    "substitution": (
        "@w > (cd x; n=$(wc -l < $A)) &",
        {"command": ["(cd x; n=$(wc -l < ", A, "))"], "background": True},
    ),
    "escaped in a substitution": ("@w > echo $(echo \\$A)", {"command": "echo $(echo \\$A)"}),
    "carriage return at the end": ("@w > ls & \r", {"command": "ls", "background": True}),
    "carriage return after a quote": ("@w > echo '$X' &\r", {"command": "echo '$X'", "background": True}),
    "what looks like a directive in a text": (
        "notify 'x # train: ignore W301'",
        {"message": "x # train: ignore W301"},
    ),
    "plain command": ("@w > ls -l", {"session": "w", "command": "ls -l", "background": False}),
    "no blanks": ("@w>ls", {"session": "w", "command": "ls", "background": False}),
    "arrow in a command": ('@w > echo "a -> b" -> c', {"command": 'echo "a -> b" -> c'}),
    "variable": ("@w > echo $A${A}", {"command": ["echo ", A, A]}),
    "shell words": ("@w > echo $HOME $? $(date) ${X:-y} $$", {"command": "echo $HOME $? $(date) ${X:-y} $$"}),
    "longer name": ("@w > echo $AB", {"command": "echo $AB"}),
    "escaped": ("@w > echo \\$A", {"command": "echo \\$A"}),
    "escaped in double quotes": ('@w > echo "\\$A"', {"command": 'echo "\\$A"'}),
    "escaped in single quotes": ("@w > echo '\\$A'", {"command": "echo '$A'"}),
    "escaped backslash": ("@w > echo \\\\$A", {"command": ["echo \\\\", A]}),
    "in a comment": ("@w > ls # of $A", {"command": "ls # of $A"}),
    "background": ("@w > sleep 9 &", {"command": "sleep 9", "background": True}),
    "background and comment": ("@w > sleep 9 & # soon", {"command": "sleep 9 # soon", "background": True}),
    "not background: and": ("@w > a && b", {"background": False}),
    "not background: redirection": ("@w > a >& log", {"command": "a >& log", "background": False}),
    "not background: both": ("@w > a &> log", {"command": "a &> log", "background": False}),
    "not background: quoted": ("@w > echo 'a &'", {"background": False}),
    "not background: escaped": ("@w > echo \\&", {"background": False}),
    "not background: comment": ("@w > a # b &", {"background": False}),
    "here-document": ("@w > cat <<E\n$A '\n@w > x\nE", {"command": ["cat <<E\n", A, " '\n@w > x\nE"]}),
    "quoted here-document": ("@w > cat <<'E'\n$A \\$A\nE", {"command": ["cat <<'E'\n", A, " $A\nE"]}),
    "here-document in background": ("@w > cat <<E &\nx &\nE", {"command": "cat <<E\nx &\nE", "background": True}),
    "here-document with tabs": ("@w > cat <<-E\n\tx\n\tE", {"command": "cat <<-E\n\tx\n\tE"}),
    "two here-documents": ("@w > paste <<X <<Y\n1\nX\n2\nY", {"command": "paste <<X <<Y\n1\nX\n2\nY"}),
    "here-document in a quote": ('@w > x="$(cat <<E\n)"\nE\n)"', {"command": 'x="$(cat <<E\n)"\nE\n)"'}),
    "shift is no here-document": ("@w > echo $((1<<2)) <<<x", {"command": "echo $((1<<2)) <<<x"}),
    "open quote": ('@w > python -c "\nprint(1)\n"', {"command": 'python -c "\nprint(1)\n"'}),
    "continued command": ("@w > a \\\n   b", {"command": "a \\\n   b"}),
    "trailing blanks": ("@w > ls   ", {"command": "ls"}),
    "kept blank": ("@w > ls \\ ", {"command": "ls \\ "}),
    "options": ("@w timeout=1h30m retry=2 > ls", {"options": {"timeout": 5400.0, "retry": 2}}),
    "variable option": ("@w timeout=$T > ls", {"options": {"timeout": [{"var": "T"}]}}),
    "continued options": ("@w \\\n timeout=5 \\\n > ls", {"options": {"timeout": 5.0}, "command": "ls"}),
    "capture": ("@w capture=X > date", {"options": {"capture": "X"}}),
    "secret": ('@w > export K="${secret:K}"', {"command": ['export K="', {"secret": "K"}, '"']}),
    "wait for a pattern": (
        'wait @w "a\\d+ \\"$A\\" \\$5$"',
        {"condition": "pattern", "value": ['a\\d+ "', A, '" \\$5$']},
    ),
    "wait for a file": ("wait @w file=/x/$A", {"condition": "file", "value": ["/x/", A]}),
    "wait for a port": ("wait @w port=80", {"condition": "port", "value": 80}),
    "wait for idle": (
        "wait @w idle timeout=2h",
        {"condition": "idle", "value": "", "options": {"timeout": 7200.0}},
    ),
    "wait for all": ("wait @w idle=all", {"condition": "idle", "value": "all"}),
    "transfer": (
        "@h:/x/*.pt -> @out:/y/ exclude=*.a exclude='b c' delete=true bwlimit=1M",
        {
            "source": {"path": "/x/*.pt", "expand": True, "host": "h"},
            "destination": {"path": "/y/", "expand": True, "storage": "out"},
            "options": {"exclude": ["*.a", "b c"], "delete": True, "bwlimit": "1M"},
        },
    ),
    "local transfer": (
        "./a -> b",
        {"source": {"path": "./a", "expand": True}, "destination": {"path": "b", "expand": True}},
    ),
    "quoted path": ('@h:"/x y*" -> ./b', {"source": {"path": "/x y*", "expand": False, "host": "h"}}),
    "partly quoted path": ("@h:~/'x y'/* -> ./b", {"source": {"path": "~/x y/*", "expand": True, "host": "h"}}),
    "path like a keyword": ("wait -> @h:/x", {"kind": "transfer"}),
    "verb": (
        "foo.bar @h 1 x=$A retry=3",
        {
            "tool": "foo",
            "verb": "bar",
            "host": "h",
            "args": [{"host": "h"}, "1"],
            "params": {"x": ["", A][1:]},
            "options": {"retry": 3},
        },
    ),
    "grace": ("@w grace=2m > a", {"options": {"grace": 120.0}, "state": {}}),
    "notify": ("notify 'it is $A'", {"kind": "notify", "message": ["it is ", A]}),
    "sleep": ("sleep 1h30m", {"kind": "sleep", "seconds": 5400.0}),
    "sleep a variable": ("sleep $T", {"seconds": [{"var": "T"}]}),
    "continued words": ("foo.bar a=1 \\\n   b=2", {"params": {"a": "1", "b": "2"}}),
}


@pytest.mark.parametrize(("body", "expected"), STEPS.values(), ids=STEPS)
def test_step(body: str, expected: dict[str, object]) -> None:
    found = step(body)
    assert {key: found.get(key, {}) for key in expected} == expected


def test_definitions() -> None:
    plan = analyse(
        "var A =\nvar B = $A # it's \nhost g = u@h -p 22\nhost p = placeholder\nhost q = $B\n"
        "storage s = gdrive:x/y\n"
    ).plan()
    found = msgspec.to_builtins(plan)
    assert [found["vars"][name]["value"] for name in "AB"] == ["", [{"var": "A"}, " # it's"]]
    assert [found["hosts"][name]["type"] for name in "gpq"] == ["ssh", "placeholder", "other"]
    assert found["hosts"]["g"]["spec"] == "u@h -p 22"
    assert found["storages"]["s"]["type"] == "gdrive"


SPECS = {
    "local": "local",
    "placeholder": "placeholder",
    "user@host": "ssh",
    "host -p 22": "ssh",
    "-p 22 user@host": "ssh",
    "-J a,b -o X=y -i 'my key' user@host": "ssh",
    "user@$A": "ssh",
    "user@::1": "ssh",
    "gpu-box.example": "name",
    "acme:123": "provider",
    "acme:$A": "provider",
    "lab:nb_1.x": "provider",
    "$A": "other",
}


@pytest.mark.parametrize(("spec", "kind"), SPECS.items(), ids=SPECS)
def test_host_spec(spec: str, kind: str) -> None:
    analysis = analyse(f"var A = 1\nhost x = {spec}\n")
    assert analysis.ok, analysis.diagnostics()
    host = analysis.plan().hosts["x"]
    assert host.type == kind
    assert host.provider == (spec.partition(":")[0] if kind == "provider" else "")


@pytest.mark.parametrize("spec", [spec for spec in SPECS if "$" not in spec and spec != "placeholder"])
def test_host_specs_are_those_of_the_base(spec: str) -> None:
    found = parse_spec(spec)
    plain = found.form == "ssh" and "@" not in spec and "-" not in spec
    assert ("name" if plain else found.form) == SPECS[spec]


@pytest.mark.parametrize(
    "spec", ["user@host -o ProxyCommand", "user@host -p 22 -p", "user@ho st", "<USER>@host -p 1"]
)
def test_what_the_base_refuses_is_an_error(spec: str) -> None:
    assert "E206" in [found.code for found in analyse(f"host x = {spec}\n").diagnostics()]
    with pytest.raises(UsageError):
        parse_spec(spec)


STORES = {
    "placeholder": "placeholder",
    "r2:b": "r2",
    "b2:b/p": "b2",
    "s3:b": "s3",
    "gs:b": "gs",
    "gdrive:": "gdrive",
    "'gdrive:My Files'": "gdrive",
    "file:/x": "file",
    "file:build/x": "file",
    "rclone:r:p": "rclone",
    "mine": "name",
    "r2:$A": "r2",
    "$A": "other",
}


@pytest.mark.parametrize(("spec", "kind"), STORES.items(), ids=STORES)
def test_storage_spec(spec: str, kind: str) -> None:
    analysis = analyse(f"var A = 1\nstorage x = {spec}\n")
    assert analysis.ok, analysis.diagnostics()
    assert analysis.plan().storages["x"].type == kind


def test_blocks_finally_and_text() -> None:
    plan = analysed("parallel\n  @w   timeout=5m  >  ls\n  sleep 5s\nend\nfinally\n  notify  'x'\n").plan()
    block = plan.steps[1]
    assert [each.text for each in block.steps] == ["@w timeout=5m > ls", "sleep 5s"]
    assert [each.text for each in plan.finally_] == ["notify 'x'"]
    assert (block.span.line, block.span.end_line, block.span.end_column) == (6, 9, 4)


def test_the_plan_is_its_schema(tmp_path: Path) -> None:
    encoded = msgspec.json.encode(
        analysed("\n".join(body for body, _ in STEPS.values() if "capture" not in body)).plan()
    )
    assert msgspec.json.decode(encoded, type=Plan).version == 1
    schema = msgspec.json.decode(PLAN.read_bytes())
    assert set(msgspec.json.decode(encoded)) <= set(schema["$defs"]["Plan"]["properties"])


def test_exec() -> None:
    analysis = analyse(
        "@gpu > ls\nwait @gpu idle\nparallel\n@local > a\n@b > c\nend\n@gpu:/x -> @bucket:/y\n",
        exec_=True,
        hosts=["gpu", "b"],
        storages=["bucket"],
    )
    assert analysis.diagnostics() == []
    plan = analysis.plan()
    assert [each.text for each in plan.steps] == [
        "tmux.open @gpu as gpu",
        "@gpu > ls",
        "wait @gpu idle",
        "tmux.open @local as local",
        "tmux.open @b as b",
        "parallel",
        "@gpu:/x -> @bucket:/y",
    ]
    assert [each.implied for each in plan.steps] == [True, False, False, True, True, False, False]
    assert {name: host.type for name, host in plan.hosts.items()} == {"gpu": "name", "local": "local", "b": "name"}
    assert plan.storages["bucket"].implied


def test_a_tools_answer_may_set_variables() -> None:
    found = analyse("@gpu > echo $ADDR\nfoo.bar\n@gpu > echo $ADDR '$ADDR'\nnotify \"$ADDR\"\n", exec_=True).plan()
    before, after, told = found.steps[1], found.steps[3], found.steps[4]
    assert before.command == "echo $ADDR"
    assert msgspec.to_builtins(after.command) == ["echo ", {"var": "ADDR", "otherwise": "$ADDR"}, " '$ADDR'"]
    assert msgspec.to_builtins(told.message) == [{"var": "ADDR"}]


def test_a_quoted_storage_is_its_text() -> None:
    assert analyse("storage x = 'gdrive:My Files'\n").plan().storages["x"].spec == "gdrive:My Files"
