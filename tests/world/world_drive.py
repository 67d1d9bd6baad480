"""Imitates Google Drive: a proxy process that ends TLS itself and answers as www.googleapis.com.

All data is in memory. rclone has no option for Drive's address, so this process is reached through HTTPS_PROXY. Its
certificate is trusted only with `--ca-cert`. It has as much of the API as rclone uses
(https://developers.google.com/drive/api/reference/rest/v3): lists, folders, multipart and resumable uploads,
downloads, moves, copies, deletions.
"""

import hashlib
import itertools
import json
import re
import ssl
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
from world_http import QuietHandler

HOST = "www.googleapis.com"
FOLDER = "application/vnd.google-apps.folder"
TOKEN = json.dumps({
    "access_token": "drive-token", "token_type": "Bearer", "refresh_token": "r", "expiry": "2035-01-01T00:00:00Z",
})  # fmt: skip
ROOT = {"id": "root0", "name": "My Drive", "mimeType": FOLDER, "parents": [], "trashed": False}
FILES: dict[str, dict[str, Any]] = {"root0": ROOT}
UPLOADS: dict[str, dict[str, Any]] = {}
NUMBERS = itertools.count(1)


class Handler(QuietHandler):
    """A connection: CONNECT, and then the requests inside of it."""

    context: ssl.SSLContext

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        self._request(b"")

    def do_DELETE(self) -> None:
        self._request(b"")

    def do_POST(self) -> None:
        self._request(self._body())

    do_PATCH = do_PUT = do_POST

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _request(self, body: bytes) -> None:
        url = urllib.parse.urlsplit(self.path)
        query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
        if self.headers.get("Authorization") != "Bearer drive-token":
            self._error(401, "authError", "Invalid Credentials")
        elif url.path.startswith("/upload/drive/v3/files"):
            self._upload(url.path.removeprefix("/upload/drive/v3/files").strip("/"), query, body)
        elif url.path.startswith("/drive/v3/files"):
            self._files(url.path.removeprefix("/drive/v3/files").strip("/"), query, body)
        elif url.path == "/drive/v3/about":
            self._answer({"user": {}, "storageQuota": {"limit": "1000000000", "usage": "0"}, "exportFormats": {}})
        else:
            self._error(404, "notFound", url.path)

    def _files(self, path: str, query: dict[str, str], body: bytes) -> None:
        number, _, verb = path.partition("/")
        number = "root0" if number == "root" else number
        if not number:
            self._answer(
                {"files": matching(query.get("q", ""))} if self.command == "GET" else made(json.loads(body))
            )
        elif number not in FILES:
            self._error(404, "notFound", f"File not found: {number}.")
        elif verb == "copy":
            source = FILES[number]
            self._answer(made({**json.loads(body)}, source["data"]))
        elif self.command == "DELETE":
            FILES.pop(number)
            self.send(204, b"", {})
        elif self.command == "PATCH":
            self._answer(changed(number, json.loads(body or b"{}"), query))
        elif query.get("alt") == "media":
            self._media(FILES[number]["data"])
        else:
            self._answer(public(FILES[number]))

    def _media(self, data: bytes) -> None:
        status = 200
        if given := self.headers.get("Range"):
            start, _, end = given.removeprefix("bytes=").partition("-")
            data, status = data[int(start) : int(end) + 1 if end else None], 206
        self.send(status, data, {"Content-Type": "application/octet-stream"})

    def _upload(self, number: str, query: dict[str, str], body: bytes) -> None:
        if query.get("upload_id"):
            self._part(query["upload_id"], body)
        elif query.get("uploadType") == "resumable":
            name = f"u{next(NUMBERS)}"
            UPLOADS[name] = {"id": number, "meta": json.loads(body or b"{}"), "data": b"", "query": query}
            self.send(
                200,
                b"",
                {"Location": f"https://{HOST}/upload/drive/v3/files?uploadType=resumable&upload_id={name}"},
            )
        else:
            edge = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
            assert edge
            parts = body.split(b"--" + edge[1].encode())[1:3]
            meta, data = (part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for part in parts)
            self._answer(stored(number, json.loads(meta), data, query))

    def _part(self, name: str, body: bytes) -> None:
        upload = UPLOADS[name]
        upload["data"] += body
        total = self.headers.get("Content-Range", "*/*").rpartition("/")[2]
        if total != "*" and len(upload["data"]) >= int(total):
            self._answer(stored(upload["id"], upload["meta"], UPLOADS.pop(name)["data"], upload["query"]))
        else:
            self.send(308, b"", {"Range": f"bytes=0-{len(upload['data']) - 1}"})

    def _answer(self, document: dict[str, Any]) -> None:
        self.send(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _error(self, status: int, reason: str, message: str) -> None:
        document = {
            "error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
        }
        self.send(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


def made(meta: dict[str, Any], data: bytes = b"") -> dict[str, Any]:
    """A new file or folder."""
    number = f"f{next(NUMBERS)}"
    FILES[number] = {
        "mimeType": "application/octet-stream",
        "trashed": False,
        "parents": ["root0"],
        **meta,
        "id": number,
    }
    FILES[number]["parents"] = ["root0" if each == "root" else each for each in FILES[number]["parents"]]
    FILES[number].setdefault("modifiedTime", "2026-01-01T00:00:00.000Z")
    FILES[number]["data"] = data
    return public(FILES[number])


def stored(number: str, meta: dict[str, Any], data: bytes, query: dict[str, str]) -> dict[str, Any]:
    """A file with content. It is a new file, or file `number` with new content."""
    if not number:
        return made(meta, data)
    FILES[number]["data"] = data
    return changed(number, meta, query)


def changed(number: str, meta: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    """A file with changed metadata. If the query asks for it, the file is moved."""
    file = FILES[number]
    file.update({key: value for key, value in meta.items() if key != "parents"})
    gone, come = query.get("removeParents", "").split(","), query.get("addParents", "").split(",")
    file["parents"] = [each for each in file["parents"] if each not in gone] + [each for each in come if each]
    return public(file)


def public(file: dict[str, Any]) -> dict[str, Any]:
    """A file in the form that the API returns."""
    found = {key: value for key, value in file.items() if key != "data"}
    if file["mimeType"] != FOLDER:
        found |= {"size": str(len(file["data"])), "md5Checksum": hashlib.md5(file["data"]).hexdigest()}
    return found


def matching(query: str) -> list[dict[str, Any]]:
    """The files that match a query of rclone: parents, name, type, trash."""
    parents = {"root0" if each == "root" else each for each in re.findall(r"'([^']+)' in parents", query)}
    names = [re.sub(r"\\(.)", r"\1", each) for each in re.findall(r"name='((?:[^'\\]|\\.)*)'", query)]
    kind = re.search(r"mimeType(!?=)'([^']+)'", query)
    return [
        public(file)
        for file in FILES.values()
        if file["id"] != "root0"
        and file["trashed"] == ("trashed=true" in query)
        and (not parents or parents & set(file["parents"]))
        and (not names or file["name"] in names)
        and (not kind or (file["mimeType"] == kind[2]) == (kind[1] == "="))
    ]


class Drive(msgspec.Struct, frozen=True):
    """The environment by which rclone reaches this imitation, and the token that the imitation accepts."""

    env: dict[str, str]
    token: str = TOKEN


@contextmanager
def drive_service(folder: Path) -> Iterator[Drive]:
    """An empty Drive, which runs during the block. The certificate of its authority is put into `folder`."""
    import trustme
    from world_process import listening

    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    with listening([sys.executable, __file__, str(folder / "server.pem")]) as port:
        yield Drive({
            "HTTPS_PROXY": f"http://127.0.0.1:{port}", "RCLONE_CA_CERT": str(folder / "ca.pem"),
            "NO_PROXY": "127.0.0.1",
        })  # fmt: skip


if __name__ == "__main__":
    Handler.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Handler.context.load_cert_chain(sys.argv[1])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
