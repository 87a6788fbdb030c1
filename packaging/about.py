"""What all packages say of themselves, each thing from its one place."""

import json
import subprocess
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

# What npm calls the platforms that there are binaries for: `process.platform` and `process.arch`.
PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"]


@cache
def metadata():
    """What Cargo knows of the checkout."""
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def crate():
    """Name, version, description, license, keywords and repository, as Cargo.toml has them."""
    return metadata()["packages"][0]


def target_folder():
    """Where Cargo puts what it makes."""
    return Path(metadata()["target_directory"])


def repository():
    """Where the project lives, on GitHub."""
    return crate()["repository"]


def page(name):
    """The address of a page of the documentation, as it is in this version."""
    return f"{repository()}/blob/v{crate()['version']}/{name}"


def registry_name():
    """The name in the MCP registry, which follows from the repository; the registry wants to see it in the wheel's readme."""
    name = repository().replace("https://github.com/", "io.github.")
    if f"\nmcp-name: {name}\n" not in (HERE / "about.md").read_text():
        raise ValueError(f"packaging/about.md does not say mcp-name: {name}")
    return name


def template(path):
    return json.loads((HERE / path).read_text())


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
