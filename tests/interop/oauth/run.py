#!/usr/bin/env python3
"""Plays the official clients against a built server that takes the tokens of a real authorization server.

    run.py target/debug/fintecture-mcp          # after setup.sh

A line for each client: with credentials of its own, with a token that may read customers and no more, and with a person
who signs in. Then the authorization server rotates its keys, and withdraws the old ones. Exit 1: something failed.
"""

import base64
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from playing import DOWN_WITHIN, HOME, NODE, PYTHON_2, UP_WITHIN, play, report, surroundings  # noqa: E402

CLIENTS = {
    "python-2": [PYTHON_2, HERE / "python_2.py"],
    "typescript-2": [NODE, HOME / "typescript/oauth_typescript.mjs"],
}
WHO = ["agent", "reader", "person"]
PERSON = "ada.canary"  # stands in what the authorization server calls its person, and may stand in no log
SERVING = "serving Streamable HTTP at"

# A key that is not known makes the server look for new ones, at most once in this time, in seconds.
LOOKS_AGAIN_AFTER = 5

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def environment():
    # The clients and the servers are all on this machine.
    return surroundings() | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def fetch(url, data=None, headers=None, method=None):
    """The status, headers and body of an answer, whatever the status."""
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    try:
        with opener.open(request, timeout=UP_WITHIN) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def free_port():
    """A port for the server: its clients must know its address before it starts, since their tokens are for it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_provider(folder):
    errors = (Path(folder) / "provider.log").open("w")
    command = [NODE, HOME / "oidc/provider.mjs"]
    process = subprocess.Popen(
        command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
    )
    return process, json.loads(process.stdout.readline())


def start_server(binary, facts, log):
    port = urllib.parse.urlparse(facts["url"]).port
    command = [binary, "serve", "--environment", "simulator", "--confirm-writes", "never"]
    command += ["--transport", "http", "--listen", f"127.0.0.1:{port}"]
    command += ["--oauth-issuer", facts["issuer"], "--oauth-audience", facts["url"]]
    with log.open("w") as lines:
        process = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stderr=lines)
    deadline = time.monotonic() + UP_WITHIN
    while SERVING not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            sys.exit(f"the server does not listen:\n{log.read_text()}")
        time.sleep(0.05)
    return process


class World:
    """The server and its issuer, asked without a client library."""

    def __init__(self, facts):
        self.facts = facts

    def token(self, who="agent", resource=None, scope="customers:read"):
        """A token by client credentials."""
        client = self.facts["clients"][who]
        basic = base64.b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
        form = {"grant_type": "client_credentials", "resource": resource or self.facts["url"]}
        if scope:
            form["scope"] = scope
        body = urllib.parse.urlencode(form).encode()
        status, _, answer = fetch(f"{self.facts['issuer']}/token", body, {"Authorization": f"Basic {basic}"})
        assert status == 200, f"the authorization server answered {status}: {answer}"
        return json.loads(answer)["access_token"]

    def order(self, what):
        status, _, _ = fetch(f"{self.facts['control']}/{what}", b"", method="POST")
        assert status == 204, f"{what} gave {status}"

    def status(self, token=None, query=""):
        """What the server answers to a call of tools/list."""
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "interop", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/list",
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return fetch(self.facts["url"] + query, json.dumps(body).encode(), headers)

    def expect(self, name, status, token=None, query=""):
        found, headers, body = self.status(token, query)
        why = None if found == status else f"status {found}, not {status}: {headers} {body[:300]}"
        return report(name, why)

    def challenge(self):
        """A stranger is told where to get a token."""
        status, headers, _ = self.status()
        said = headers.get("WWW-Authenticate", "")
        found = re.search(r'resource_metadata="([^"]+)"', said)
        if status != 401 or not found:
            return report("the challenge", f"status {status}, WWW-Authenticate: {said}")
        status, _, body = fetch(found[1])
        if status != 200:
            return report("the challenge", f"{found[1]} answers {status}")
        metadata = json.loads(body)
        well = metadata["resource"] == self.facts["url"]
        well = well and metadata["authorization_servers"] == [self.facts["issuer"]]
        return report("the challenge", None if well else f"the metadata is {metadata}")

    def rotation(self):
        """A new key is found, and a withdrawn one is gone."""
        old = self.token()
        results = [self.expect("a token", 200, old)]
        self.order("add")
        # The server looked for keys at the latest when the last story began.
        time.sleep(LOOKS_AGAIN_AFTER)
        new = self.token()
        results.append(self.expect("a token with a new key", 200, new))
        results.append(self.expect("a token with the key before", 200, old))
        self.order("withdraw")
        self.order("add")
        time.sleep(LOOKS_AGAIN_AFTER)
        results.append(self.expect("a token with the newest key", 200, self.token()))
        results.append(self.expect("a token with a key that was withdrawn", 401, old))
        return results


def main(binary):
    with tempfile.TemporaryDirectory() as folder:
        provider, facts = start_provider(folder)
        log = Path(folder) / "server.log"
        server = said = None
        try:
            facts["url"] = f"http://127.0.0.1:{free_port()}/mcp"
            server = start_server(binary, facts, log)
            world = World(facts)
            results = [world.challenge()]
            results.append(world.expect("no token", 401))
            results.append(world.expect("a token in the query", 400, query=f"?access_token={world.token()}"))
            results.append(world.expect("a token for another audience", 401, world.token(resource="https://other.example.com")))
            results.append(world.expect("a token without any scope", 403, world.token(scope=None)))
            results += [
                play(f"{name} {who}", [*command, who, json.dumps(facts)], environment())
                for name, command in CLIENTS.items()
                for who in WHO
            ]
            world.order("alg?ES256")
            results.append(world.expect("a token signed with ES256", 200, world.token()))
            world.order("alg?RS256")
            results += world.rotation()
            server.send_signal(signal.SIGTERM)
            code = server.wait(DOWN_WITHIN)
            results.append(report("the end on SIGTERM", None if code == 0 else f"exit code {code}"))
            late = Path(folder) / "late.log"
            token = world.token()
            provider.kill()
            server = start_server(binary, facts, late)
            results.append(world.expect("a token that nobody can check: the authorization server is gone", 503, token))
            said = log.read_text() + late.read_text()
            secrets = [client["secret"] for client in facts["clients"].values()] + [PERSON, "eyJ"]
            found = [secret for secret in secrets if secret in said]
            results.append(report("no secret in the log", f"{found}" if found else None))
        finally:
            for process in filter(None, (server, provider)):
                process.kill()
                process.wait()
        if not all(results):
            print(f"the server said:\n{said or log.read_text()}")
            print(f"the authorization server said:\n{(Path(folder) / 'provider.log').read_text()}")
    print(f"{results.count(True)} of {len(results)} went well")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
