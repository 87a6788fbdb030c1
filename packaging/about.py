"""What all packages say of themselves, each thing from its one place."""

import json
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

# What npm calls the platforms that there are binaries for: `process.platform` and `process.arch`.
PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"]


def crate():
    """Name, version, description, license and keywords, as Cargo.toml has them."""
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return metadata["packages"][0]


def registry_name():
    """The name in the MCP registry: the wheel's readme must show it, so it stands there."""
    return re.search(r"^mcp-name: (io\.github\.[\w-]+/[\w.-]+)$", (HERE / "about.md").read_text(), re.M)[1]


def repository():
    """Where that name says the project lives."""
    owner, name = registry_name().removeprefix("io.github.").split("/")
    return f"https://github.com/{owner}/{name}"


def template(path):
    return json.loads((HERE / path).read_text())


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
