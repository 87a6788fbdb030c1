"""Registries of packages on this machine: a folder with a wheel and npm packages, served as PyPI and npm serve theirs."""

import base64
import hashlib
import json
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import about


def manifests(folder):
    """The package.json of every npm package, with where its archive is. Of the other platforms there is no more than
    what npm needs to see that they are not for this one."""
    found = {}
    for archive in Path(folder).glob("*.tgz"):
        with tarfile.open(archive) as opened:
            manifest = json.load(opened.extractfile("package/package.json"))
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        found[manifest["name"]] = manifest | {"dist": {"tarball": archive.name, "integrity": f"sha512-{digest}"}}
    for name in about.PLATFORMS:
        system, cpu = name.split("-")
        package = {"name": f"fintecture-mcp-{name}", "version": about.crate()["version"], "os": [system], "cpu": [cpu]}
        found.setdefault(package["name"], package | {"dist": {"tarball": "nowhere.tgz"}})
    return found


@contextmanager
def serve(folder):
    """Serves it; gives the address. PyPI's part is at /simple/, npm's at /npm/."""
    packages, folder = manifests(folder), Path(folder)

    class Index(BaseHTTPRequestHandler):
        def do_GET(self):
            place = self.path.strip("/")
            address = f"http://{self.headers['Host']}"
            if place == "simple/fintecture-mcp":
                links = (f'<a href="{address}/files/{wheel.name}">{wheel.name}</a>' for wheel in folder.glob("*.whl"))
                self.answer("".join(links).encode(), "text/html")
            elif place.removeprefix("npm/") in packages:
                manifest = packages[place.removeprefix("npm/")]
                dist = manifest["dist"] | {"tarball": f"{address}/files/{manifest['dist']['tarball']}"}
                version = manifest["version"]
                document = {"name": manifest["name"], "dist-tags": {"latest": version}}
                document["versions"] = {version: manifest | {"dist": dist}}
                self.answer(json.dumps(document).encode(), "application/json")
            elif place.startswith("files/") and (folder / Path(place).name).is_file():
                self.answer((folder / Path(place).name).read_bytes(), "application/octet-stream")
            else:
                self.send_error(404)

        def answer(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
