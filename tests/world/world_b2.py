"""Imitates Backblaze B2: a server process that speaks as much of the native API over http as rclone uses.

It checks the key and its tokens, and has versions, hide markers, large files in parts, and unfinished large files.
The reference is https://www.backblaze.com/apidocs. Everything is stored in memory. `GET /stand-in/unfinished`
returns the number of unfinished files.
"""

import base64
import hashlib
import itertools
import json
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any

from world_http import QuietHandler

KEY_ID, KEY, BUCKET = "b2-key-id", "b2-application-key", "first"
INFO = "x-bz-info-"


class Versions:
    """The versions of every file of a bucket, the newest last, and the files whose parts still arrive."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.all: list[dict[str, Any]] = []
        self.large: dict[str, dict[str, Any]] = {}
        self._number = itertools.count(1)

    def add(self, name: str, action: str, data: bytes = b"", **more: Any) -> dict[str, Any]:
        """A new version: an upload, or a hide marker."""
        version = {
            "fileId": f"id{next(self._number):06}", "fileName": name, "action": action, "bucketId": "bucket1",
            "contentLength": len(data), "size": len(data), "contentType": "application/octet-stream",
            "uploadTimestamp": int(time.time() * 1000), "fileInfo": {}, "data": data,
            "contentSha1": hashlib.sha1(data).hexdigest() if action == "upload" else None, **more,
        }  # fmt: skip
        with self.lock:
            self.all.append(version)
        return version

    def named(self, name: str) -> dict[str, Any] | None:
        """The file with this name: its newest version. None if that is a hide marker."""
        newest = next((each for each in reversed(self.all) if each["fileName"] == name), None)
        return newest if newest and newest["action"] == "upload" else None

    def listed(self, prefix: str, delimiter: str, start: str, *, versions: bool) -> Iterator[dict[str, Any]]:
        """Files or versions below a prefix, sorted by name. If there is a delimiter, folders too."""
        folders: set[str] = set()
        seen: set[str] = set()
        pending = [{**each, "action": "start", "contentLength": 0} for each in self.large.values()]
        everything = [*reversed(self.all), *(pending if versions else [])]
        for each in sorted(everything, key=lambda one: str(one["fileName"])):
            name = str(each["fileName"])
            first = name not in seen
            seen.add(name)
            if not name.startswith(prefix) or name < start:
                continue
            if not versions and (not first or each["action"] != "upload"):
                continue
            head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if found:
                folder = prefix + head + delimiter
                if folder not in folders:
                    folders.add(folder)
                    yield {"fileName": folder, "action": "folder", "fileId": None, "contentLength": 0, "size": 0}
                continue
            yield each


STORE = Versions()


class Handler(QuietHandler):
    """One request. The bodies of API calls are JSON; the bodies of uploads are bytes."""

    def do_GET(self) -> None:
        path = urllib.parse.urlsplit(self.path).path
        if path == "/stand-in/unfinished":
            self._answer({"count": len(STORE.large)})
        elif path.endswith("/b2_authorize_account"):
            self._authorize()
        elif path.startswith(f"/file/{BUCKET}/"):
            self._download(STORE.named(urllib.parse.unquote(path.removeprefix(f"/file/{BUCKET}/"))))
        elif path.endswith("/b2_download_file_by_id"):
            wanted = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["fileId"][0]
            self._download(next((each for each in STORE.all if each["fileId"] == wanted), None))
        else:
            self._error(404, "not_found", path)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self._body()
        path = urllib.parse.urlsplit(self.path).path
        if self.headers.get("Authorization") != "token":
            self._error(401, "bad_auth_token", "Invalid authorization token")
        elif path == "/upload":
            self._upload(body)
        elif path.startswith("/part/"):
            self._part(path.removeprefix("/part/"), body)
        else:
            call = getattr(self, "_" + path.rsplit("/", 1)[1], None)
            call(json.loads(body)) if call else self._error(400, "bad_request", path)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _authorize(self) -> None:
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if given != f"{KEY_ID}:{KEY}":
            self._error(401, "unauthorized", "invalid application key")
            return
        address = f"http://{self.headers['Host']}"
        storage = {
            "absoluteMinimumPartSize": 5_000_000, "recommendedPartSize": 100_000_000, "apiUrl": address,
            "downloadUrl": address, "s3ApiUrl": address, "allowed": {
                "capabilities": ["listBuckets", "readFiles", "writeFiles", "listFiles", "deleteFiles"],
                "buckets": None, "namePrefix": None,
            },
        }  # fmt: skip
        self._answer({"accountId": "account1", "authorizationToken": "token", "apiInfo": {"storageApi": storage}})

    def _b2_list_buckets(self, _: dict[str, Any]) -> None:
        bucket = {"accountId": "account1", "bucketId": "bucket1", "bucketName": BUCKET, "bucketType": "allPrivate"}
        self._answer({"buckets": [{**bucket, "lifecycleRules": []}]})

    def _b2_create_bucket(self, call: dict[str, Any]) -> None:
        mine = call["bucketName"] == BUCKET
        self._error(400, "duplicate_bucket_name" if mine else "bad_request", "Bucket name is already in use.")

    def _b2_get_upload_url(self, _: dict[str, Any]) -> None:
        self._answer({
            "bucketId": "bucket1", "uploadUrl": f"http://{self.headers['Host']}/upload", "authorizationToken": "token"
        })  # fmt: skip

    def _upload(self, body: bytes) -> None:
        data, digest = body, self.headers.get("X-Bz-Content-Sha1", "")
        if digest == "hex_digits_at_end":
            data, digest = body[:-40], body[-40:].decode()
        if digest not in ("do_not_verify", hashlib.sha1(data).hexdigest()):
            self._error(400, "bad_request", "Sha1 did not match data received")
            return
        info = {
            key.lower().removeprefix(INFO): urllib.parse.unquote(value)
            for key, value in self.headers.items()
            if key.lower().startswith(INFO)
        }
        name = urllib.parse.unquote(self.headers["X-Bz-File-Name"])
        self._answer(STORE.add(name, "upload", data, fileInfo=info))

    def _b2_start_large_file(self, call: dict[str, Any]) -> None:
        version = {
            "fileId": f"large{time.time_ns()}", "fileName": call["fileName"], "bucketId": "bucket1", "parts": {},
            "fileInfo": call.get("fileInfo", {}), "contentType": call["contentType"], "size": 0,
            "uploadTimestamp": int(time.time() * 1000), "action": "start",
        }  # fmt: skip
        STORE.large[version["fileId"]] = version
        self._answer(version)

    def _b2_get_upload_part_url(self, call: dict[str, Any]) -> None:
        address = f"http://{self.headers['Host']}/part/{call['fileId']}"
        self._answer({"fileId": call["fileId"], "uploadUrl": address, "authorizationToken": "token"})

    def _part(self, number: str, body: bytes) -> None:
        large = STORE.large.get(number)
        data = body[:-40] if self.headers.get("X-Bz-Content-Sha1") == "hex_digits_at_end" else body
        if large is None:
            self._error(400, "bad_request", "No such upload")
            return
        part = int(self.headers["X-Bz-Part-Number"])
        large["parts"][part] = data
        digest = hashlib.sha1(data).hexdigest()
        self._answer({"fileId": number, "partNumber": part, "contentLength": len(data), "contentSha1": digest})

    def _b2_finish_large_file(self, call: dict[str, Any]) -> None:
        large = STORE.large.pop(call["fileId"])
        data = b"".join(large["parts"][number] for number in sorted(large["parts"]))
        self._answer(STORE.add(large["fileName"], "upload", data, fileInfo=large["fileInfo"], contentSha1="none"))

    def _b2_cancel_large_file(self, call: dict[str, Any]) -> None:
        large = STORE.large.pop(call["fileId"], None)
        if large is None:
            self._error(400, "bad_request", "No such upload")
            return
        self._answer({"fileId": call["fileId"], "fileName": large["fileName"], "bucketId": "bucket1"})

    def _b2_list_file_names(self, call: dict[str, Any]) -> None:
        self._list(call, versions=False)

    def _b2_list_file_versions(self, call: dict[str, Any]) -> None:
        self._list(call, versions=True)

    def _list(self, call: dict[str, Any], *, versions: bool) -> None:
        rows = list(
            STORE.listed(
                call.get("prefix") or "",
                call.get("delimiter") or "",
                call.get("startFileName") or "",
                versions=versions,
            )
        )
        most = call.get("maxFileCount") or 1000
        following = rows[most]["fileName"] if len(rows) > most else None
        self._answer({"files": [public(row) for row in rows[:most]], "nextFileName": following, "nextFileId": None})

    def _b2_get_file_info(self, call: dict[str, Any]) -> None:
        found = next((each for each in STORE.all if each["fileId"] == call["fileId"]), None)
        self._answer(found) if found else self._error(404, "not_found", "no such file")

    def _b2_hide_file(self, call: dict[str, Any]) -> None:
        self._answer(STORE.add(call["fileName"], "hide"))

    def _b2_delete_file_version(self, call: dict[str, Any]) -> None:
        with STORE.lock:
            STORE.all[:] = [each for each in STORE.all if each["fileId"] != call["fileId"]]
        STORE.large.pop(call["fileId"], None)
        self._answer({"fileId": call["fileId"], "fileName": call["fileName"]})

    def _b2_copy_file(self, call: dict[str, Any]) -> None:
        source = next(each for each in STORE.all if each["fileId"] == call["sourceFileId"])
        self._answer(STORE.add(call["fileName"], "upload", source["data"], fileInfo=source["fileInfo"]))

    def _download(self, found: dict[str, Any] | None) -> None:
        if self.headers.get("Authorization") != "token":
            self._error(401, "bad_auth_token", "Invalid authorization token")
            return
        if found is None:
            self._error(404, "not_found", "File not present")
            return
        data, status = found["data"], 200
        if given := self.headers.get("Range"):
            start, _, end = given.removeprefix("bytes=").partition("-")
            data, status = data[int(start) : int(end) + 1 if end else None], 206
        headers = {f"x-bz-info-{key}": urllib.parse.quote(value) for key, value in found["fileInfo"].items()}
        headers |= {
            "X-Bz-File-Id": found["fileId"], "X-Bz-File-Name": urllib.parse.quote(found["fileName"]),
            "X-Bz-Content-Sha1": found["contentSha1"], "X-Bz-Upload-Timestamp": str(found["uploadTimestamp"]),
            "Content-Type": found["contentType"],
        }  # fmt: skip
        self.send(status, data, headers)

    def _answer(self, document: dict[str, Any]) -> None:
        self.send(200, json.dumps(public(document)).encode(), {"Content-Type": "application/json"})

    def _error(self, status: int, code: str, message: str) -> None:
        document = {"status": status, "code": code, "message": message}
        self.send(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


def public(document: dict[str, Any]) -> dict[str, Any]:
    """A document without the fields that only the server needs."""
    return {key: value for key, value in document.items() if key not in ("data", "parts")}


@contextmanager
def b2_service() -> Iterator[str]:
    """The address of a B2 server process, which runs during the block. It has the empty bucket BUCKET."""
    from world_process import listening

    with listening([sys.executable, __file__]) as port:
        yield f"http://127.0.0.1:{port}"


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
