"""The processes of a test: a simulator, replicas, Redis, nginx, each on free ports of 127.0.0.1, ended with the test."""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UP_WITHIN = 30  # seconds
SCOPES = "customers:write,bank-accounts:write,verifications:write"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process, log):
    """Until something listens on the port."""
    deadline = time.monotonic() + UP_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"nothing listens on {port}:\n{log.read_text()[-4000:]}")


class Process:
    """A process that can be ended and started again, with one log."""

    def __init__(self, name, command, port, folder, env=None):
        self.name, self.command, self.port, self.env = name, [str(word) for word in command], port, env or {}
        self.log = folder / f"{name}.log"
        self.process = None

    def start(self, wait=True):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FINTECTURE_", "OTEL_"))}
        kept.pop("RUST_LOG", None)
        with self.log.open("a") as lines:
            self.process = subprocess.Popen(
                self.command, env=kept | self.env, stdin=subprocess.DEVNULL, stdout=lines, stderr=lines
            )
        if wait:
            wait_for(self.port, self.process, self.log)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, within=90):
        """Ends it as an operator would. Its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"none, {within} s after SIGTERM"

    def end(self):
        if self.process and self.process.poll() is None:
            # nginx would leave its workers behind.
            self.stop(5) if self.name == "nginx" else self.kill()

    def memory(self):
        """Resident memory, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


class Stack:
    """All processes of a test, in a folder that goes with them."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.processes = Path(binary).resolve(), Path(folder), []

    def add(self, name, command, port, env=None):
        process = Process(name, command, port, self.folder, env)
        self.processes.append(process)
        return process

    def end(self):
        for process in reversed(self.processes):
            process.end()

    def tokens(self, names, scopes=SCOPES):
        """A file of tokens with a line for each name; the tokens by name."""
        tokens, lines = {}, []
        for name in names:
            made = subprocess.run(
                [self.binary, "token", "new", name, "--scopes", scopes], check=True, capture_output=True, text=True
            ).stdout
            tokens[name] = re.search(r"fmcp_\S+", made)[0]
            lines.append(next(line.strip() for line in made.splitlines() if line.strip().startswith(f"{name} ")))
        path = self.folder / "auth-tokens"
        path.write_text("\n".join(lines) + "\n")
        path.chmod(0o600)
        return path, tokens

    def key(self, name):
        path = self.folder / name
        path.write_text(secrets.token_urlsafe(32))
        path.chmod(0o600)
        return path

    def simulator(self):
        port, self.upstream_token = free_port(), secrets.token_urlsafe(16)
        command = [self.binary, "simulator", "--listen", f"127.0.0.1:{port}", f"--token={self.upstream_token}"]
        return self.add("simulator", command, port, {"RUST_LOG": "warn"}).start()

    def replica(self, name, upstream, *flags, env=None):
        """A server in front of the simulator; it is a sandbox as far as it knows."""
        port = free_port()
        command = [self.binary, "serve", "--transport", "http", "--listen", f"127.0.0.1:{port}", *flags]
        settings = {
            "FINTECTURE_ENVIRONMENT": "sandbox",
            "FINTECTURE_BASE_URL": f"http://127.0.0.1:{upstream.port}",
            "FINTECTURE_CUSTOMER_TOKEN": self.upstream_token,
        }
        return self.add(name, command, port, settings | (env or {}))

    def redis(self):
        """A Redis that forgets nothing that it has acknowledged."""
        port, folder = free_port(), self.folder / "redis"
        folder.mkdir()
        command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
        return self.add("redis", command, port).start()

    def nginx(self, replicas):
        """nginx as deploy/ has it, but for names, ports and TLS."""
        port, folder = free_port(), self.folder / "nginx"
        folder.mkdir()
        text = (DEPLOY / "nginx.conf").read_text()
        for number, replica in enumerate(replicas, 1):
            text = text.replace(f"127.0.0.1:808{number}", f"127.0.0.1:{replica.port}")
        text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
        text = re.sub(r"ssl_certificate\w*\s+\S+;", "", text)
        text = text.replace("/var/log/nginx/fintecture-mcp.log", str(folder / "access.log"))
        # $host has no port, and the test's name has one.
        text = text.replace("proxy_set_header Host $host;", "proxy_set_header Host $http_host;")
        kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        text = text.replace("http {", f"pid {folder}/pid; error_log stderr warn;\nhttp {{ {temporary}", 1)
        path = folder / "nginx.conf"
        path.write_text(text)
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        return self.add("nginx", [nginx, "-p", folder, "-c", path, "-g", "daemon off;"], port)
