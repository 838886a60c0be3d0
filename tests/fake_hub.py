"""A model hub on this machine: as much of its protocol as the client needs to push small files and to pull them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

SHA = "a" * 40


def _answering(root: Path) -> type[BaseHTTPRequestHandler]:
    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            if found := re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/[^/]+/(.+)", self.path):
                self._file(root / found[1] / found[2])
            elif found := re.match(r"/api/models/([\w.-]+/[\w.-]+)/(?:tree|paths-info)", self.path):
                self._told(self._listed(root / found[1]))
            elif found := re.match(r"/api/models/([\w.-]+/[\w.-]+)", self.path):
                names = [{"rfilename": one["path"], "size": one["size"]} for one in self._listed(root / found[1])]
                self._told({"id": found[1], "modelId": found[1], "sha": SHA, "siblings": names, "private": False})
            else:
                self._told({"name": "me", "type": "user", "auth": {"type": "access_token"}})

        do_HEAD = do_GET

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/api/repos/create":
                name = "me/" + json.loads(body)["name"].rpartition("/")[2]
                (root / name).mkdir(parents=True, exist_ok=True)
                self._told({"url": f"http://{self.headers['Host']}/{name}", "id": name})
            elif "/preupload/" in self.path:
                files = json.loads(body)["files"]
                told = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None} for one in files]
                self._told({"files": told})
            elif found := re.match(r"/api/models/([\w.-]+/[\w.-]+)/commit/", self.path):
                for line in map(json.loads, body.decode().splitlines()):
                    if line["key"] == "file":
                        place = root / found[1] / line["value"]["path"]
                        place.parent.mkdir(parents=True, exist_ok=True)
                        place.write_bytes(base64.b64decode(line["value"]["content"]))
                self._told({"commitUrl": f"http://{self.headers['Host']}/{found[1]}/commit/{SHA}", "commitOid": SHA})
            else:
                self._told({})

        def _listed(self, place: Path) -> list[dict[str, Any]]:
            files = sorted(path for path in place.rglob("*") if path.is_file())
            return [
                {"type": "file", "path": path.relative_to(place).as_posix(), "size": path.stat().st_size, "oid": SHA}
                for path in files
            ]

        def _file(self, place: Path) -> None:
            if not place.is_file():
                self.send_error(404)
                return
            content = place.read_bytes()
            tag = hashlib.sha256(content).hexdigest()
            self._sent(content, {"ETag": f'"{tag}"', "X-Repo-Commit": SHA, "Content-Type": "application/octet-stream"})

        def _told(self, value: Any) -> None:
            self._sent(json.dumps(value).encode(), {"Content-Type": "application/json"})

        def _sent(self, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    return Hub


@contextmanager
def fake_hub(root: Path) -> Iterator[str]:
    """Its address; repositories are folders below `root`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _answering(root))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
