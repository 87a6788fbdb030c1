"""What the blocks of a page find on their PATH in place of some programs: `stand_in.py NAME ARGUMENT...`.

`fintecture-mcp` is the real one, started beside the page where it would serve in the foreground, on a port of its own;
`curl` is the real one, kept to this machine; what would install or start something else does nothing.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from state import LOCAL, PUBLIC, State, serves

# What is done elsewhere in .ci/run, or needs an account or another machine.
ELSEWHERE = {
    "cargo": ["test", "install --path .", "install fintecture-mcp", "build --release"],
    "podman": ["build"],
    "docker": ["build"],
    "pip": ["install"],
    "claude": ["mcp add", "mcp get", "mcp list"],
}
NAMES = sorted({*ELSEWHERE, "fintecture-mcp", "curl", "uvx", "npx"})

CONTAINERFILE = Path(__file__).resolve().parents[2] / "deploy" / "Containerfile"
WITH_VALUE = ("-p", "-v", "-e", "--secret", "--stop-timeout")  # flags of podman run

STATUS = "status of the answer: "


def main(state, name, arguments):
    if name == "fintecture-mcp":
        return program(state, arguments)
    if name == "curl":
        return curl(state, arguments)
    if name == "cargo" and arguments[:1] == ["run"] and "--" in arguments:
        return program(state, arguments[arguments.index("--") + 1 :])
    if name in ("uvx", "npx"):
        words = [word for word in arguments if word not in ("-y", "--yes")]
        if words and words[0].split("@")[0] == "fintecture-mcp":
            return program(state, words[1:])
    if name == "podman" and arguments[:1] == ["run"]:
        return container(state, arguments[1:])
    if name == "podman" and arguments[:2] == ["secret", "create"]:
        secret, file = arguments[2:]
        return state.keep("secrets", {**state.kept("secrets", {}), f"/run/secrets/{secret}": str(Path(file).resolve(strict=True))})
    line = " ".join(word for word in arguments if word != "--locked")
    if any(line == known or line.startswith(f"{known} ") for known in ELSEWHERE.get(name, [])):
        return 0
    raise SystemExit(f"`{name} {line}`: not known to .ci/docs/stand_in.py; mark the block `<!-- not run: why -->`?")


def program(state, arguments):
    """Runs ours, as it stands on the page but for ports and placeholders."""
    arguments = [state.replaced(argument) for argument in arguments]
    environment = {name: state.replaced(value) for name, value in os.environ.items()}
    state.give_upstream(arguments, environment)
    if serves(arguments):
        return state.serve(arguments, environment)
    if arguments[:2] == ["token", "new"]:
        done = subprocess.run([state.program, *arguments], env=environment, capture_output=True, text=True, check=True)
        print(done.stdout, end="")
        keep_token(state, done.stdout)
        return 0
    return subprocess.run([state.program, *arguments], env=environment, stdin=subprocess.DEVNULL, check=False).returncode


def keep_token(state, shown):
    """Does what the page says to do with a new token: its line goes into tokens.txt."""
    token, line = re.search(r"fmcp_\S+", shown), re.search(r"\S+ \S+ sha256:\S+", shown)
    file = Path("tokens.txt")
    file.write_text(line.group() + "\n", encoding="utf-8")
    file.chmod(0o600)
    state.keep("token", token.group())


def container(state, arguments):
    """Runs ours as a container of our image would: with what it is given, and with the image's command where it has none."""
    given, at = {}, 0
    while arguments[at].startswith("-"):
        flag, at = arguments[at], at + 1
        if flag in WITH_VALUE:
            given.setdefault(flag, []).append(arguments[at])
            at += 1
        elif flag not in ("--rm", "-i"):
            raise SystemExit(f"podman run {flag}: not known to .ci/docs/stand_in.py")
    image, *command = arguments[at:]
    if image != "fintecture-mcp":
        raise SystemExit(f"podman run {image}: not the image that is built above")
    # What the container sees at these paths: the secrets, and the volume as a folder.
    inside = {f"/run/secrets/{name.split(',')[0]}": None for name in given.get("--secret", [])}
    inside = {path: state.kept("secrets", {})[path] for path in inside}
    inside |= {volume.split(":")[1]: str(Path.cwd()) for volume in given.get("-v", [])}

    def outside(text):
        for path, here in inside.items():
            text = text.replace(path, here)
        return text

    os.environ |= dict(outside(variable).split("=", 1) for variable in given.get("-e", []))
    if not command:
        image_command = re.search(r"(?m)^CMD (.*)$", CONTAINERFILE.read_text(encoding="utf-8"))
        command = json.loads(image_command.group(1))
    return program(state, [outside(word) for word in command])


def curl(state, arguments):
    """Asks a server of the page. A status of 400 and more must stand in the section, or is a failure."""
    arguments = [argument.replace(PUBLIC, LOCAL) for argument in arguments]
    state.wait_for(" ".join(arguments))
    arguments = [state.replaced(argument) for argument in arguments]
    for argument in arguments:
        host = re.match(r"https?://(\[[^]]*\]|[^/:]+)", argument)
        if host and host.group(1) not in ("127.0.0.1", "localhost"):
            raise SystemExit(f"{argument}: a block that is run may ask this machine alone")
    told = ["--silent", "--show-error", "--max-time", "20", "--write-out", f"%{{stderr}}{STATUS}%{{http_code}}\n"]
    done = subprocess.run(["/usr/bin/curl", *told, *arguments], stderr=subprocess.PIPE, text=True, check=False)
    for line in done.stderr.splitlines():
        code = line.removeprefix(STATUS)
        if code == line:
            print(line, file=sys.stderr)
        elif code >= "400" and code not in state.section():
            raise SystemExit(f"curl got the status {code}, which the section does not speak of")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(State(Path(os.environ["DOCS_STATE"])), sys.argv[1], sys.argv[2:]))
