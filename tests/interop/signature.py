#!/usr/bin/env python3
"""Verifies the signatures of the built server with openssl, as the receiver of a request would.

    signature.py target/debug/fintecture-mcp

An upstream in this process takes what the server sends for the nine operations, names in several scripts included,
rebuilds the signing string from the bytes on the wire, and asks openssl. Exit 1: one did not verify.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from nine_operations import CALLS, play

HEADER = re.compile(r'keyId="app-1",algorithm="rsa-sha256",headers="([^"]+)",signature="([^"]+)"')
def problem_of(handler, body, public_key):
    """What is wrong with the signature of one request, or None."""
    names, expected = ["(request-target)", "date"], {}
    expected["(request-target)"] = f"{handler.command.lower()} {handler.path}"
    expected["date"] = handler.headers["Date"]
    if body:
        digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
        if handler.headers["Digest"] != digest:
            return "the digest is not that of the body"
        expected["digest"] = digest
        names.append("digest")
    names.append("x-request-id")
    expected["x-request-id"] = handler.headers["X-Request-ID"]
    parsedate_to_datetime(handler.headers["Date"])
    signature = HEADER.fullmatch(handler.headers["Signature"] or "")
    if not signature or signature[1] != " ".join(names):
        return f"the signature header: {handler.headers['Signature']}"
    signed = "\n".join(f"{name}: {expected[name]}" for name in names)
    with tempfile.NamedTemporaryFile() as file:
        file.write(base64.b64decode(signature[2]))
        file.flush()
        verify = ["openssl", "dgst", "-sha256", "-verify", public_key, "-signature", file.name]
        done = subprocess.run(verify, input=signed.encode(), capture_output=True)
    return None if done.returncode == 0 else f"openssl: {done.stdout.decode()}{done.stderr.decode()}"


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    public_key, verdicts = None, []

    def answer(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.verdicts.append((f"{self.command} {self.path}", problem_of(self, body, self.public_key)))
        is_list = self.command == "GET" and re.search(r"/(customers|bank-accounts|verifications)(\?.*)?$", self.path)
        answer = json.dumps({"data": []} if is_list else {"id": "c-1"}).encode()
        self.send_response(200 if self.command == "GET" else 201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def main(server):
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        private_key, public_key = str(Path(folder, "private.pem")), str(Path(folder, "public.pem"))
        openssl = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", private_key]
        subprocess.run(openssl, check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", private_key, "-pubout", "-out", public_key], check=True)
        os.chmod(private_key, 0o600)
        Upstream.public_key = public_key
        upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        settings = {"FINTECTURE_APP_ID": "app-1", "FINTECTURE_PRIVATE_KEY_FILE": private_key}
        errors = play(server, f"http://127.0.0.1:{upstream.server_port}", settings)
        upstream.shutdown()
        for request, problem in Upstream.verdicts:
            print("FAIL" if problem else "ok  ", request, problem or "")
            failed += problem is not None
    for error in errors:
        print("FAIL", json.dumps(error)[:300])
    if failed or errors or len(Upstream.verdicts) < len(CALLS):
        sys.exit(f"{len(Upstream.verdicts)} requests, {failed} signatures that do not verify, {len(errors)} errors")


if __name__ == "__main__":
    main(sys.argv[1])
