"""Fixtures: a private home for each test, and a real S3 service that checks signatures (`rclone serve s3`)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from world_s3 import Service, s3_service

from trainsh_base.request import Request, serve_in_this_thread


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty TRAINSH_HOME, without credentials or a keyring."""
    for name in list(os.environ):
        if name.startswith(("TRAINSH_", "AWS_", "R2_", "B2_", "RCLONE_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    serve_in_this_thread(Request())
    return tmp_path / "home"


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One storage service for all tests."""
    with s3_service(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def keys(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The service's key in the environment, for kinds r2 and s3."""
    for prefix in ("R2_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(prefix, service.key)
    for prefix in ("R2_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(prefix, service.secret)
    return service
