#!/usr/bin/env python3
"""Plays every client against every transport of a built server, a line each.

    run.py target/debug/fintecture-mcp          # after setup.sh

The server runs on the simulator, on a free port of 127.0.0.1, and must end well on SIGTERM. Exit 1: a client failed.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
HOME = Path(os.environ.get("INTEROP_HOME") or CACHE / "fintecture-mcp-ci/interop")
PYTHON_2 = HOME / "python-2/bin/python"
PYTHON_1 = HOME / "python-1/bin/python"
OWN_NODE = HOME / "node22/node_modules/node/bin/node"
NODE = OWN_NODE if OWN_NODE.exists() else "node"

CLIENTS = {
    "python-2": [PYTHON_2, HERE / "python_2.py"],
    "python-1": [PYTHON_1, HERE / "python_1.py"],
    "typescript-2": [NODE, HOME / "typescript/typescript_2.mjs"],
    "typescript-1": [NODE, HOME / "typescript/typescript_1.mjs"],
    "langchain": [PYTHON_1, HERE / "langchain_adapters.py"],
    "openai-agents": [PYTHON_2, HERE / "openai_agents.py"],
}
STDIO = ["serve", "--environment", "simulator"]
HTTP = ["serve", "--transport", "http", "--environment", "simulator", "--listen", "127.0.0.1:0"]
SERVING = re.compile(r"serving Streamable HTTP at (http://([\d.]+):(\d+))/mcp")

UP_WITHIN = DOWN_WITHIN = 20  # seconds
STORY_WITHIN = 90  # seconds


def environment():
    """Ours, without what would change the server or the work tree."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FINTECTURE_")}
    kept.pop("RUST_LOG", None)
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"}


def wait_for_server(server, log):
    """The server's base URL, once it says where it listens and takes a connection."""
    deadline = time.monotonic() + UP_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        serving = SERVING.search(log.read_text())
        if serving:
            socket.create_connection((serving[2], int(serving[3])), timeout=UP_WITHIN).close()
            return serving[1]
        time.sleep(0.05)
    sys.exit(f"the server does not listen:\n{log.read_text()}")


def play(name, transport, target):
    """Runs one client on one transport, prints a line; returns whether it went well."""
    started = time.monotonic()
    command = [*CLIENTS[name], transport, *target]
    try:
        done = subprocess.run(
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STORY_WITHIN,
        )
        well, output = done.returncode == 0, done.stdout
    except subprocess.TimeoutExpired as late:
        well, output = False, f"{(late.stdout or b'').decode(errors='replace')}\nno end after {STORY_WITHIN} s"
    print("ok  " if well else "FAIL", name, transport, f"{time.monotonic() - started:.1f} s", flush=True)
    if not well:
        print(output, flush=True)
    return well


def stop(server):
    """Ends the server as an operator would; returns whether it ended well."""
    server.send_signal(signal.SIGTERM)
    try:
        code = server.wait(DOWN_WITHIN)
    except subprocess.TimeoutExpired:
        server.kill()
        code = f"none, {DOWN_WITHIN} s after SIGTERM"
    print("ok  " if code == 0 else "FAIL", f"the server's exit code on SIGTERM is {code}", flush=True)
    return code == 0


def main(binary):
    binary = str(Path(binary).resolve())
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with log.open("w") as lines:
            server = subprocess.Popen([binary, *HTTP], env=environment(), stdin=subprocess.DEVNULL, stderr=lines)
        try:
            url = wait_for_server(server, log)
            targets = {"stdio": [binary, *STDIO], "http": [f"{url}/mcp"], "sse": [f"{url}/sse"]}
            results = [play(name, transport, target) for name in CLIENTS for transport, target in targets.items()]
            results.append(stop(server))
        finally:
            if server.poll() is None:
                server.kill()
                server.wait()
        failed = results.count(False)
        if failed:
            print(f"the server said:\n{log.read_text()}")
    print(f"{len(results) - failed} of {len(results)} went well")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
