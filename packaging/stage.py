#!/usr/bin/env python3
"""Lays out what is packed for this platform: `stage.py BINARY FOLDER` makes FOLDER/mcpb, FOLDER/npm/* and
FOLDER/archive, and prints the version and the platform as shell variables."""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import about

ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def this_platform():
    name = f"{sys.platform}-{ARCHITECTURES.get(platform.machine().lower())}"
    if name not in about.PLATFORMS:
        sys.exit(f"there are no packages for {sys.platform} on {platform.machine()}")
    return name


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    return target


def tools(binary):
    """The tools in the words that an agent reads."""
    listed = subprocess.run([binary, "tools", "--json"], check=True, stdout=subprocess.PIPE).stdout
    return [{"name": tool["name"], "description": tool["description"]} for tool in json.loads(listed)["tools"]]


def stage_mcpb(binary, crate, folder):
    manifest = about.template("mcpb/manifest.json")
    manifest |= {name: crate[name] for name in ("version", "description", "license")}
    manifest["repository"] = {"type": "git", "url": f"{about.repository()}.git"}
    manifest["documentation"] = about.page("docs/install.md#claude-desktop")
    manifest["tools"] = tools(binary)
    manifest["compatibility"]["platforms"] = [sys.platform]
    about.write(folder / "manifest.json", manifest)
    copy(about.HERE / "mcpb/icon.png", folder / "icon.png")
    copy(about.ROOT / "LICENSE", folder / "LICENSE")
    copy(binary, folder / "server/fintecture-mcp").chmod(0o755)


def npm_facts(crate):
    facts = {name: crate[name] for name in ("version", "description", "license", "keywords")}
    return facts | {"repository": {"type": "git", "url": f"git+{about.repository()}.git"}}


def stage_npm(binary, crate, folder):
    """The package that people name, and the one of this platform that it starts the binary of."""
    version, facts = crate["version"], npm_facts(crate)
    main = about.template("npm/package.json") | facts | {"mcpName": about.registry_name()}
    main["optionalDependencies"] = {f"fintecture-mcp-{name}": version for name in about.PLATFORMS}
    about.write(folder / "main/package.json", main)
    copy(about.HERE / "npm/launcher.cjs", folder / "main/launcher.cjs").chmod(0o755)
    name = this_platform()
    system, cpu = name.split("-")
    libc = {"libc": ["glibc"]} if system == "linux" else {}
    own = {"name": f"fintecture-mcp-{name}", **facts, "os": [system], "cpu": [cpu], **libc, "files": ["bin"]}
    about.write(folder / "own/package.json", own)
    copy(binary, folder / "own/bin/fintecture-mcp").chmod(0o755)
    for package in ("main", "own"):
        copy(about.HERE / "about.md", folder / package / "README.md")
        copy(about.ROOT / "LICENSE", folder / package / "LICENSE")


def stage_archive(binary, folder):
    copy(binary, folder / "fintecture-mcp").chmod(0o755)
    for name in ("LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        copy(about.ROOT / name, folder / name)
    # What the pages lead to.
    for name in ("docs", "deploy", "capabilities"):
        shutil.copytree(about.ROOT / name, folder / name)
    copy(about.ROOT / "benches/README.md", folder / "benches/README.md")


def main(binary, folder):
    crate, folder = about.crate(), Path(folder)
    stage_mcpb(binary, crate, folder / "mcpb")
    stage_npm(binary, crate, folder / "npm")
    stage_archive(binary, folder / "archive")
    print(f"version={crate['version']} platform={this_platform()}")


main(*sys.argv[1:])
