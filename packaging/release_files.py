#!/usr/bin/env python3
"""Writes what goes with a folder of packages, of one platform or of several: `release_files.py FOLDER` makes server.json
for the MCP registry, and SHA256SUMS."""

import hashlib
import sys
from pathlib import Path

import about


def package(kind, identifier, **more):
    return {
        "registryType": kind,
        "identifier": identifier,
        **more,
        "transport": {"type": "stdio"},
        "environmentVariables": about.template("variables.json"),
    }


def bundle(path, version):
    """A bundle is found where the release has it, and known by its hash."""
    place = f"{about.repository()}/releases/download/v{version}/{path.name}"
    return package("mcpb", place, version=version, fileSha256=sha256(path))


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def server(folder):
    version = about.crate()["version"]
    return about.template("server.json") | {
        "name": about.registry_name(),
        "repository": {"url": about.repository(), "source": "github"},
        "version": version,
        "packages": [
            package("pypi", "fintecture-mcp", version=version, runtimeHint="uvx"),
            package("npm", "fintecture-mcp", version=version, runtimeHint="npx"),
            *(bundle(path, version) for path in sorted(folder.glob("*.mcpb"))),
        ],
    }


def main(folder):
    folder = Path(folder)
    about.write(folder / "server.json", server(folder))
    files = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    (folder / "SHA256SUMS").write_text("".join(f"{sha256(path)}  {path.name}\n" for path in files))


main(*sys.argv[1:])
