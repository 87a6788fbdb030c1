"""What is kept while the blocks of one page run: their servers, and what placeholders stand for."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

PATIENCE = 20  # seconds that a server may take to begin or to end
SECONDS_BETWEEN_LOOKS = 0.02
# What pages call a server on a network, and where the page's own is instead.
PUBLIC, LOCAL = "https://mcp.example.com/", "http://127.0.0.1:8080/"
PORTS = {"serve": "8080", "simulator": "8090"}


class State:
    """A folder that the blocks' programs share."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.program = json.loads(self.file("program").read_text(encoding="utf-8"))

    def file(self, name) -> Path:
        return self.folder / name

    def keep(self, name, value):
        fresh = self.file(f"{name}.{os.getpid()}")
        fresh.write_text(json.dumps(value), encoding="utf-8")
        fresh.replace(self.file(name))

    def kept(self, name, default=None):
        file = self.file(name)
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else default

    def section(self) -> str:
        return self.kept("section", "")

    def replaced(self, text: str) -> str:
        """Placeholders and ports as they are here."""
        for shown, server in self.kept("servers", {}).items():
            text = re.sub(rf"(127\.0\.0\.1|localhost):{shown}\b", rf"\1:{server['port']}", text)
        for placeholder in ("HASH", "fmcp_..."):
            value = self.kept({"HASH": "head", "fmcp_...": "token"}[placeholder])
            text = text.replace(placeholder, value) if value else text
        return text.replace("/path/to/", f"{self.kept('work')}/")

    def wait_for(self, text: str):
        """Waits for the servers that a text names, which may be beginning in the background."""
        deadline = time.monotonic() + PATIENCE
        for port in re.findall(r"(?:127\.0\.0\.1|localhost):(\d+)", text):
            while port not in self.kept("servers", {}):
                if time.monotonic() > deadline:
                    raise SystemExit(f"no server was started on port {port}")
                time.sleep(SECONDS_BETWEEN_LOOKS)

    def give_upstream(self, arguments, environment):
        """Gives sandbox and production the simulator as upstream, and a credential where the page has none."""
        which = option(arguments, "--environment") or environment.get("FINTECTURE_ENVIRONMENT")
        if which not in ("sandbox", "production") or "FINTECTURE_BASE_URL" in environment:
            return
        if "upstream" not in self.kept("servers", {}):
            self.serve(["simulator", "--listen", "127.0.0.1:8090"], dict(os.environ), shown="upstream")
        environment["FINTECTURE_BASE_URL"] = f"http://127.0.0.1:{self.kept('servers')['upstream']['port']}"
        if not any(name.startswith(("FINTECTURE_CUSTOMER_TOKEN", "FINTECTURE_APP_")) for name in environment):
            environment["FINTECTURE_CUSTOMER_TOKEN"] = "of-the-documentation"

    def serve(self, arguments, environment, shown=None):
        """Starts a server beside the page and waits until it serves; one on the same port makes room for it."""
        command = arguments[0]
        listen = option(arguments, "--listen") or f"127.0.0.1:{PORTS[command]}"
        address, port = listen.rsplit(":", 1)
        shown = shown or port
        self.end(shown)
        log = self.file(f"log-{shown}")
        words = [self.program, *without(arguments, "--listen"), "--listen", f"{address}:0"]
        with open(log, "wb") as out:
            server = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        deadline = time.monotonic() + PATIENCE
        while True:
            said = log.read_text(encoding="utf-8", errors="replace")
            at = re.search(r"(?:serving|answers at).*?https?://[^\s/]*:(\d+)", said)
            if at:
                break
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                raise SystemExit(f"{' '.join(arguments)} does not serve:\n{said}")
            time.sleep(SECONDS_BETWEEN_LOOKS)
        servers = self.kept("servers", {})
        servers[shown] = {"pid": server.pid, "port": at.group(1)}
        self.keep("servers", servers)
        return 0

    def end(self, shown):
        """Ends a server of this page, if it runs, as its supervisor would."""
        servers = self.kept("servers", {})
        server = servers.pop(shown, None)
        if server is None:
            return
        self.keep("servers", servers)
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(ProcessLookupError):
            os.kill(server["pid"], signal.SIGTERM)
            while runs(server["pid"]):
                if time.monotonic() > deadline:
                    os.kill(server["pid"], signal.SIGKILL)
                    raise SystemExit(f"the server on {shown} did not end on SIGTERM")
                time.sleep(SECONDS_BETWEEN_LOOKS)

    def end_all(self):
        for shown in list(self.kept("servers", {})):
            self.end(shown)


def runs(pid):
    """Whether a process that may be nobody's child any more still runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def option(arguments, name):
    """The value of a flag, however it is written."""
    for at, argument in enumerate(arguments):
        if argument == name and at + 1 < len(arguments):
            return arguments[at + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return None


def without(arguments, name):
    """The arguments without a flag and its value."""
    if name in arguments:
        at = arguments.index(name)
        return arguments[:at] + arguments[at + 2 :]
    return [argument for argument in arguments if not argument.startswith(f"{name}=")]


def serves(arguments):
    """Whether a command line stays in the foreground until it is ended."""
    if {"--help", "-h", "--version"} & set(arguments):
        return False
    if arguments[:1] == ["simulator"]:
        return True
    return arguments[:1] == ["serve"] and option(arguments, "--transport") == "http"
