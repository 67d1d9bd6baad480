"""Tests specs, a storages.toml of version 0.9, and rclone's options for each kind."""

from pathlib import Path

import pytest

from trainsh_base.errors import Conflict, CredentialError, NotFound, UsageError
from trainsh_storage import draft, region, spec, storages_file
from trainsh_storage.kinds import KINDS
from trainsh_storage.model import Storage
from trainsh_storage.resolve import find, resolve

OLD = """# mine
[[storages]]
id = "1"
name = "out"
type = "r2"
is_default = true  # keep me

[storages.config]
account_id = "acc"
bucket = "models"
endpoint = "https://acc.r2.cloudflarestorage.com"

[[storages]]
id = "2"
name = "share"
type = "smb"
is_default = false

[storages.config]
server = "nas"
share = "data"
username = "me"
"""


@pytest.fixture
def old(home: Path) -> Path:
    """A storages.toml as version 0.9 wrote it, with comments that a user added."""
    home.mkdir()
    file = home / "storages.toml"
    file.write_text(OLD)
    return file


@pytest.mark.parametrize(
    ("text", "kind", "config", "path"),
    [
        ("r2:bucket", "r2", {"bucket": "bucket"}, ""),
        ("s3:bucket/a/b/", "s3", {"bucket": "bucket"}, "a/b"),
        ("gs:b", "gcs", {"bucket": "b"}, ""),
        ("gdrive:", "gdrive", {"path": ""}, ""),
        ("gdrive:Models/new", "gdrive", {"path": "Models/new"}, ""),
        ("file:/data", "local", {"path": "/data"}, ""),
        ("rclone:nas:a:b", "rclone", {"remote_name": "nas", "path": "a:b"}, ""),
    ],
)
def test_specs(text: str, kind: str, config: dict[str, str], path: str) -> None:
    storage = spec.parse(text)
    assert (storage.kind, storage.config, storage.path) == (kind, config, path)


@pytest.mark.parametrize("text", ["r2:", "r2:/", "rx:bucket", "rclone:nas", "rclone::x", "file:", ":x"])
def test_what_is_no_spec_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        spec.parse(text)


def test_a_near_miss_names_the_kind() -> None:
    with pytest.raises(UsageError) as caught:
        spec.parse("r3:bucket")
    assert "r2" in caught.value.hint or "s3" in caught.value.hint


def test_the_file_of_0_9_loads(old: Path) -> None:
    out, share = storages_file.load()
    assert (out.name, out.kind, out.config["bucket"], out.default) == ("out", "r2", "models", True)
    assert spec.where(share) == "//nas/data"
    with pytest.raises(NotFound) as caught:
        storages_file.get("ouz")
    assert "out" in caught.value.hint


def test_changes_leave_comments_and_the_others_alone(old: Path) -> None:
    storages_file.add(Storage(name="new", kind="b2", config={"bucket": "x"}))
    storages_file.change("share", {"username": "you"}, [], None)
    storages_file.remove("new")
    assert old.read_text() == OLD.replace('username = "me"', 'username = "you"')


def test_a_new_default_takes_the_place_of_the_old(old: Path) -> None:
    storages_file.add(Storage(name="new", kind="b2", config={"bucket": "x"}, default=True))
    assert [one.name for one in storages_file.load() if one.default] == ["new"]
    assert "# keep me" in old.read_text()


def test_a_name_is_given_once(old: Path) -> None:
    with pytest.raises(Conflict):
        storages_file.add(Storage(name="out", kind="b2", config={"bucket": "x"}))


@pytest.mark.parametrize(
    "text",
    [
        "[[storages]\n",
        "storages = 3\n",
        "[[storages]]\nname = 1\n",
        '[[storages]]\nname = "a"\ntype="r2"\nconfig=1\n',
    ],
)
def test_a_damaged_file_is_named_and_left_alone(home: Path, text: str) -> None:
    home.mkdir()
    file = home / "storages.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"storages\.toml"):
        storages_file.load()
    assert file.read_text() == text


def test_r2_through_rclone(keys: object, old: Path) -> None:
    place = resolve(find("out"), "DST")
    assert (place.engine, place.remote, place.root) == ("rclone", "DST:", "models")
    assert place.env["RCLONE_CONFIG_DST_TYPE"] == "s3"
    assert place.env["RCLONE_CONFIG_DST_PROVIDER"] == "Cloudflare"
    assert place.env["RCLONE_CONFIG_DST_ENDPOINT"] == "https://acc.r2.cloudflarestorage.com"
    assert place.secret_env == ["RCLONE_CONFIG_DST_ACCESS_KEY_ID", "RCLONE_CONFIG_DST_SECRET_ACCESS_KEY"]
    assert place.env[place.secret_env[1]] == "SECRET"


def test_a_storages_own_secret_wins(keys: object, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUT_ACCESS_KEY", "own")
    assert resolve(find("out"), "S").env["RCLONE_CONFIG_S_ACCESS_KEY_ID"] == "own"


def test_an_inline_r2_finds_its_account(keys: object, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CredentialError, match="Cloudflare account"):
        resolve(find("r2:models/x"), "S")
    monkeypatch.setenv("R2_ACCOUNT_ID", "env")
    place = resolve(find("r2:models/x"), "S")
    assert place.env["RCLONE_CONFIG_S_ENDPOINT"] == "https://env.r2.cloudflarestorage.com"
    assert place.root == "models/x"
    home.mkdir()
    (home / "storages.toml").write_text(OLD)
    place = resolve(find("r2:models/x"), "S")
    assert place.env["RCLONE_CONFIG_S_ENDPOINT"] == "https://acc.r2.cloudflarestorage.com"


def test_missing_credentials_name_the_command() -> None:
    storage = Storage(name="my-out", kind="b2", config={"bucket": "b"})
    with pytest.raises(CredentialError) as caught:
        resolve(storage, "S")
    assert caught.value.hint == "train secrets set MY_OUT_KEY_ID"
    assert caught.value.exit_status == 4


def test_a_region_is_taken_from_the_environment_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region, "ADDRESS", "http://127.0.0.1:9")
    assert region.of("b") == "us-east-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert region.of("b") == "eu-west-1"


def test_a_password_of_a_share_is_obscured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMB_PASSWORD", "hunter2")
    place = resolve(
        Storage(name="share", kind="smb", config={"server": "nas", "share": "d", "username": "me"}), "S"
    )
    assert place.env["RCLONE_CONFIG_S_HOST"] == "nas"
    assert "hunter2" not in place.env["RCLONE_CONFIG_S_PASS"]
    assert place.env["RCLONE_CONFIG_S_PASS"]


@pytest.mark.parametrize(
    ("storage", "engine", "root", "extra"),
    [
        (Storage(name="a", kind="local", config={"path": "~/x"}), "folder", str(Path("~/x").expanduser()), {}),
        (
            Storage(name="a", kind="ssh", config={"host": "me@nas", "path": "/d", "key_path": "~/.ssh/k"}),
            "host", "/d", {"host": "me@nas -i ~/.ssh/k"},
        ),
        (
            Storage(name="a", kind="rclone", config={"remote_name": "mine", "path": "p"}),
            "rclone", "p", {"remote": "mine:", "own_config": True, "env": {}},
        ),
        (
            Storage(name="a", kind="gdrive", config={"remote_name": "drive"}),
            "rclone", "", {"remote": "drive:", "own_config": True},
        ),
    ],
)  # fmt: skip
def test_kinds_that_need_no_secret(storage: Storage, engine: str, root: str, extra: dict[str, object]) -> None:
    place = resolve(storage, "S")
    assert (place.engine, place.root) == (engine, root)
    assert {key: getattr(place, key) for key in extra} == extra


def test_a_table_that_is_not_complete_says_which_key(old: Path) -> None:
    old.write_text('[[storages]]\nname = "x"\ntype = "s3"\n')
    with pytest.raises(UsageError, match="no bucket") as caught:
        resolve(find("x"), "S")
    assert caught.value.hint == "train storage edit x bucket=VALUE"


def test_every_kind_has_its_root_among_its_keys() -> None:
    for kind in KINDS.values():
        assert kind.root in [key.name for key in kind.keys]


def test_a_prefix_is_not_part_of_a_configured_storage() -> None:
    with pytest.raises(UsageError, match="whole bucket") as caught:
        draft.from_text("r2:models/x")
    assert "r2:models," in caught.value.hint


def test_a_storage_with_a_path_behind_it_is_told_the_form_that_works() -> None:
    storages_file.add(Storage(name="models", kind="local", config={"path": "/tmp"}))
    with pytest.raises(UsageError) as caught:
        find("models:x/y")
    assert caught.value.hint.endswith("The path is an argument of its own: models x/y")
