"""Which endpoint each text means."""

import pytest

from trainsh_base.errors import UsageError
from trainsh_xfer.endpoints.endpoint_text import Endpoint, parse

HOSTS = {"gpu": "root@10.0.0.1 -p 2222", "both": "local"}
STORAGES = {"out": "file:/srv/out", "both": "file:/srv"}

FORMS = [
    ("./model", Endpoint("local", "", "./model")),
    ("/data/a b", Endpoint("local", "", "/data/a b")),
    ("-rf", Endpoint("local", "", "-rf")),
    ("host:gpu:/data", Endpoint("host", "gpu", "/data")),
    ("host:root@10.0.0.7:/data", Endpoint("host", "root@10.0.0.7", "/data")),
    ("host:gpu:/a:b", Endpoint("host", "gpu", "/a:b")),
    ("@gpu:/data", Endpoint("host", "gpu", "/data")),
    ("@gpu:rel/x", Endpoint("host", "gpu", "rel/x")),
    ("@gpu:~/x", Endpoint("host", "gpu", "~/x")),
    ("@gpu:/new\nline", Endpoint("host", "gpu", "/new\nline")),
    ("@box-2:/data", Endpoint("host", "box-2", "/data")),
    ("@out:/models/", Endpoint("storage", "out", "/models/")),
    ("storage:out:/models/", Endpoint("storage", "out", "/models/")),
    ("storage:both:/x", Endpoint("storage", "both", "/x")),
    ("host:both:/x", Endpoint("host", "both", "/x")),
    ("gpu:/data", Endpoint("host", "gpu", "/data")),
    ("root@1.2.3.4:/data", Endpoint("host", "root@1.2.3.4", "/data")),
    ("C:/Users", Endpoint("host", "C", "/Users")),
    ("./a:b", Endpoint("local", "", "./a:b")),
    ("/a:b", Endpoint("local", "", "/a:b")),
    ("local:./@gpu:/x", Endpoint("local", "", "./@gpu:/x")),
    ("@here/x", Endpoint("local", "", "@here/x")),
    ("@plain", None),
    ("file:/backup/x", Endpoint("local", "", "/backup/x")),
    ("r2:bucket/models/a", Endpoint("storage", "r2:bucket", "/models/a")),
    ("rclone:drive:papers/x", Endpoint("storage", "rclone:drive:", "papers/x")),
    ("acme:123:/workspace", Endpoint("host", "acme:123", "/workspace")),
    ("@acme:box_1.a:~/x:y", Endpoint("host", "acme:box_1.a", "~/x:y")),
    ("host:acme:123:runs/", Endpoint("host", "acme:123", "runs/")),
    ("user@acme:12:/x", Endpoint("host", "user@acme", "12:/x")),
    ("gpu:./a:b", Endpoint("host", "gpu", "./a:b")),
]


@pytest.mark.parametrize(("text", "expected"), FORMS, ids=[repr(form[0]) for form in FORMS])
def test_forms(text: str, expected: Endpoint | None) -> None:
    if expected is None:
        with pytest.raises(UsageError):
            parse(text, HOSTS, STORAGES)
    else:
        assert parse(text, HOSTS, STORAGES) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not an endpoint"),
        ("a\0b", "not an endpoint"),
        ("@gpu:", "no path"),
        ("@gpu", "no path"),
        ("host:gpu", "no path"),
        ("acme:123:", "no path"),
        ("@both:/x", "both a host and a storage"),
        ("https://example.org/x", "URLs"),
        ("rsync://example.org/x", "URLs"),
    ],
    ids=repr,
)
def test_what_is_no_endpoint(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse(text, HOSTS, STORAGES)
    assert caught.value.hint
