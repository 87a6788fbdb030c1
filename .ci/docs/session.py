"""Runs the blocks of a page, one after the other, from an empty home folder.

The commands are run by bash as they stand there. On their PATH stand-ins come first (see `stand_in.py`): a server is
started beside the page, and ended with it.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import clients
import stand_in
from state import SECONDS_BETWEEN_LOOKS, State

# What would reach beyond the folder: never run from a page.
REACHES_OUT = re.compile(r"(?<!--)\b(kill|pkill|killall|pidof|sudo|systemctl|apt|apt-get|brew|wget|ssh|scp|rm)\b")
PATIENCE = 60  # seconds for one block


class Session:
    """A home folder, a working folder in it, and the servers of one page."""

    def __init__(self, folder: Path, program: Path, seeds: Path):
        self.work, self.bin, state = folder / "work", folder / "bin", folder / "state"
        state.mkdir(parents=True)
        self.bin.mkdir()
        shutil.copytree(seeds / "work", self.work)
        for name in stand_in.NAMES:
            file = self.bin / name
            file.write_text(f'#!/bin/sh\nexec "{sys.executable}" -B "{stand_in.__file__}" {name} "$@"\n', encoding="utf-8")
            file.chmod(0o755)
        (state / "program").write_text(json.dumps(str(program)), encoding="utf-8")
        self.state = State(state)
        self.state.keep("work", str(self.work))
        for seed in (seeds / "state").iterdir():
            shutil.copy(seed, state)
        self.environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(folder),
            "DOCS_STATE": str(state),
            "LANG": "C.UTF-8",
            "TOKEN": "fmcp_...",  # the one that the page made, where it made one
            "RUST_LOG": "info",
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.state.end_all()

    def run(self, block):
        """Runs a block; says what went wrong, if anything did."""
        self.state.keep("section", block.section)
        try:
            if block.language in ("sh", "bash"):
                return self.shell(block)
            if block.language in ("json", "jsonc"):
                return clients.problem(self, block)
        except (SystemExit, OSError, subprocess.SubprocessError) as error:
            return str(error)
        return None

    def shell(self, block):
        reaching = REACHES_OUT.search(re.sub(r"(?m)#.*$", "", block.text))
        if reaching:
            return f"a block with `{reaching.group()}` is not run from here: say why not in a comment before it"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            cwd=self.work, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )
        if done.returncode:
            return f"exit code {done.returncode}\n{(done.stdout + done.stderr).strip()[-1500:]}"
        return None


def seed(folder: Path, program: Path):
    """What the pages take for granted: a token file, a certificate, an audit trail of two files and its key."""
    work, state = folder / "work", folder / "state"
    work.mkdir(parents=True)
    state.mkdir()
    plain = {"PATH": os.environ["PATH"], "HOME": str(folder)}

    def run(*words, **more):
        return subprocess.run(words, cwd=work, env=plain, capture_output=True, text=True, check=True, **more).stdout

    shown = run(program, "token", "new", "docs", "--scopes", "customers:read")
    secret(work / "tokens.txt", re.search(r"\S+ \S+ sha256:\S+", shown).group())
    for name in ("key", "audit-key", "store.key"):
        secret(work / name, run("openssl", "rand", "-base64", "32"))
    secret(work / "token", "of-the-documentation")
    run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem",
    )
    (work / "key.pem").chmod(0o600)
    (state / "head").write_text(json.dumps(trail(program, work, plain)), encoding="utf-8")


def secret(file, text):
    file.write_text(text + "\n", encoding="utf-8")
    file.chmod(0o600)


def trail(program, work, environment):
    """Writes an audit trail that was rotated once, and returns the hash of its head."""
    words = [program, "serve", "--transport", "http", "--listen", "127.0.0.1:0", "--environment", "simulator"]
    trail = ["--audit-log", "audit.log", "--audit-key", "key"]
    log = work / "server.log"
    with open(log, "w", encoding="utf-8") as out:
        server = subprocess.Popen([*words, *trail], cwd=work, env=environment, stdout=out, stderr=out)
    try:
        waited(lambda: "serving Streamable HTTP" in log.read_text(encoding="utf-8"), "the server serves")
        (work / "audit.log").rename(work / "audit.log.1")
        server.send_signal(signal.SIGHUP)
        waited((work / "audit.log").exists, "the trail is rotated")
    finally:
        server.terminate()
        server.wait()
    log.unlink()
    return json.loads((work / "audit.log").read_text(encoding="utf-8").splitlines()[-1])["hash"]


def waited(done, what):
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited in vain until {what}")
        time.sleep(SECONDS_BETWEEN_LOOKS)
