#!/usr/bin/env python3
"""Plays every client against every transport of a built server, a line each.

    run.py target/debug/fintecture-mcp          # after setup.sh

The servers run on the simulator, on free ports of 127.0.0.1, and must end well on SIGTERM. Exit 1: a client failed.
"""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import playing
from playing import DOWN_WITHIN, HOME, NODE, PYTHON_1, PYTHON_2, UP_WITHIN

HERE = Path(__file__).resolve().parent

CLIENTS = {
    "python-2": [PYTHON_2, HERE / "python_2.py"],
    "python-1": [PYTHON_1, HERE / "python_1.py"],
    "typescript-2": [NODE, HOME / "typescript/typescript_2.mjs"],
    "typescript-1": [NODE, HOME / "typescript/typescript_1.mjs"],
    "langchain": [PYTHON_1, HERE / "langchain_adapters.py"],
    "openai-agents": [PYTHON_2, HERE / "openai_agents.py"],
}
# The whole story: who plays it, what a variant can do (its words stand in the scripts), and which server it meets.
KYC = {
    "kyc-python-2": [PYTHON_2, HERE / "kyc_python.py"],
    "kyc-typescript-2": [NODE, HOME / "typescript/kyc_typescript.mjs"],
}
TRANSPORTS = ["stdio", "http", "sse"]
VARIANTS = {
    "modern": ("auto", TRANSPORTS),
    "tasks": ("auto", TRANSPORTS),
    "legacy": ("auto", TRANSPORTS),
    "plain": ("auto", TRANSPORTS),
    "page": ("always", TRANSPORTS),
    # On stdio the client is the person's own, so a form counts and nobody is led to a page.
    "led": ("always", ["http", "sse"]),
    "led-legacy": ("always", ["http", "sse"]),
}
GIVEN_UP = 'wait="cancelled"'  # what the server logs when a client has given a wait up

SERVE = ["serve", "--environment", "simulator", "--confirm-writes"]
HTTP = ["--transport", "http", "--listen", "127.0.0.1:0"]
SERVING = re.compile(r"serving Streamable HTTP at (http://([\d.]+):(\d+))/mcp")

# At once; each has one approval open at a time, and more than five may not wait.
PLAYED_AT_ONCE = 4


def environment():
    """Ours, with the code that a person types."""
    code = json.loads((HERE / "kyc_facts.json").read_text())["approval_code"]
    return playing.surroundings() | {"FINTECTURE_APPROVAL_CODE": code}


class Server:
    """A server over HTTP that asks for approvals in this mode."""

    def __init__(self, binary, confirm, folder, variables=None):
        self.confirm, self.log = confirm, Path(folder) / f"{confirm}.log"
        with self.log.open("w") as lines:
            command = [binary, *SERVE, confirm, *HTTP]
            env = environment() | (variables or {})
            self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stderr=lines)

    def url(self):
        """Its base URL, once it says where it listens and takes a connection."""
        deadline = time.monotonic() + UP_WITHIN
        while time.monotonic() < deadline and self.process.poll() is None:
            serving = SERVING.search(self.log.read_text())
            if serving:
                socket.create_connection((serving[2], int(serving[3])), timeout=UP_WITHIN).close()
                return serving[1]
            time.sleep(0.05)
        sys.exit(f"the server does not listen:\n{self.log.read_text()}")

    def stop(self):
        """Ends it as an operator would; returns whether it ended well."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(DOWN_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = f"none, {DOWN_WITHIN} s after SIGTERM"
        print("ok  " if code == 0 else "FAIL", f"the exit code on SIGTERM is {code} ({self.confirm})", flush=True)
        return code == 0

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def play(name, command, given_up=0):
    """Runs one client, on stdio with its server, which must notice so many waits that were given up."""

    def wrong(output):
        count = output.count(GIVEN_UP)
        return None if count == given_up else f"the server noticed {count} waits that were given up, not {given_up}"

    return playing.play(name, command, environment(), wrong)


def play_kyc(targets):
    """The whole story by all that can play it, some at once; whether each went well."""
    with ThreadPoolExecutor(PLAYED_AT_ONCE) as pool:
        played = [
            pool.submit(
                play,
                f"{name} {variant} {transport}",
                [*command, variant, transport, *targets[confirm][transport]],
                given_up=1 if transport == "stdio" and variant != "tasks" else 0,
            )
            for variant, (confirm, transports) in VARIANTS.items()
            for transport in transports
            for name, command in KYC.items()
        ]
        return [each.result() for each in played]


def noticed(server):
    """Whether the server noticed every wait that was given up over HTTP; a task that is cancelled is no such wait."""
    expected = len(KYC) * sum(
        len(set(transports) - {"stdio"})
        for variant, (confirm, transports) in VARIANTS.items()
        if confirm == server.confirm and variant != "tasks"
    )
    count = server.log.read_text().count(GIVEN_UP)
    well = count == expected
    words = f"of {expected} waits given up, {count} were noticed ({server.confirm})"
    print("ok  " if well else "FAIL", words, flush=True)
    return well


def main(binary):
    binary = str(Path(binary).resolve())
    with tempfile.TemporaryDirectory() as folder:
        servers = [Server(binary, confirm, folder) for confirm in ("auto", "always")]
        try:
            targets = {}
            for server in servers:
                url = server.url()
                stdio = [binary, *SERVE, server.confirm]
                targets[server.confirm] = {"stdio": stdio, "http": [f"{url}/mcp"], "sse": [f"{url}/sse"]}
            results = [
                play(f"{name} {transport}", [*command, transport, *targets["auto"][transport]])
                for name, command in CLIENTS.items()
                for transport in TRANSPORTS
            ]
            results += play_kyc(targets)
            results += [noticed(server) for server in servers]
            results += [server.stop() for server in servers]
        finally:
            for server in servers:
                server.end()
        failed = results.count(False)
        for server in servers if failed else []:
            print(f"the server said ({server.confirm}):\n{server.log.read_text()}")
    print(f"{len(results) - failed} of {len(results)} went well")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
