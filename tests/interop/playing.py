"""What a run of real clients stands on: where they are installed, and one client run to its end."""

import os
import subprocess
import time
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
HOME = Path(os.environ.get("INTEROP_HOME") or CACHE / "fintecture-mcp-ci/interop")
PYTHON_2 = HOME / "python-2/bin/python"
PYTHON_1 = HOME / "python-1/bin/python"
OWN_NODE = HOME / "node22/node_modules/node/bin/node"
NODE = OWN_NODE if OWN_NODE.exists() else "node"

UP_WITHIN = DOWN_WITHIN = 20  # seconds
STORY_WITHIN = 90  # seconds


def surroundings():
    """Our variables, without what would change a server or the work tree, and without a browser."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FINTECTURE_")}
    kept.pop("RUST_LOG", None)
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "BROWSER": ""}


def report(name, why=None):
    """Prints a line; returns whether it went well."""
    print("ok  " if why is None else "FAIL", name if why is None else f"{name}\n{why}", flush=True)
    return why is None


def play(name, command, environment, wrong=lambda output: None, answers=""):
    """Runs one client and prints a line; returns whether it went well. `wrong` says what is wrong with what it said, if
    anything is. On stdio that has the server's log. `answers` is what a person types."""
    started = time.monotonic()
    try:
        done = subprocess.run(
            command,
            env=environment,
            input=answers,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STORY_WITHIN,
        )
        why = wrong(done.stdout) if done.returncode == 0 else f"exit code {done.returncode}"
        why = why and f"{done.stdout}\n{why}"
    except subprocess.TimeoutExpired as late:
        why = f"{(late.stdout or b'').decode(errors='replace')}\nno end after {STORY_WITHIN} s"
    return report(f"{name} {time.monotonic() - started:.1f} s", why)
