"""Looks into the files of a folder of packages that nothing installs."""

import json
import re
import shutil
import subprocess
import sys
import tarfile

import about

LINK = re.compile(r"\]\(([^):#]+)[^):]*\)")  # without those that have a scheme
CARRIED = {"rmcp", "tokio", "rustls", "serde"}  # some of what every build is made of


def checksums(packages):
    """Every other file is in SHA256SUMS, and is what that says; by the command that docs/install.md names, or macOS's."""
    lines = (packages / "SHA256SUMS").read_text().splitlines()
    listed = {line.split("  ")[1] for line in lines}
    there = {path.name for path in packages.iterdir()} - {"SHA256SUMS"}
    assert listed == there, listed ^ there
    command = ["sha256sum"] if shutil.which("sha256sum") else ["shasum", "-a", "256"]
    subprocess.run([*command, "--check", "SHA256SUMS"], cwd=packages, check=True, stdout=subprocess.DEVNULL)


def components(path):
    """CycloneDX: it is of this version, and names what the program is made of."""
    bom = json.loads(path.read_text())
    assert bom["bomFormat"] == "CycloneDX", bom["bomFormat"]
    whole = bom["metadata"]["component"]
    assert (whole["name"], whole["version"]) == ("fintecture-mcp", about.crate()["version"]), whole
    missing = CARRIED - {part["name"] for part in bom["components"]}
    assert not missing, missing
    nameless = [part for part in bom["components"] if not part.get("version")]
    assert not nameless, nameless


def archive(path, folder):
    """The program says its version, and every link of its pages leads to a file beside it."""
    with tarfile.open(path) as opened:
        opened.extractall(folder, **({"filter": "data"} if sys.version_info >= (3, 12) else {}))
    said = subprocess.run([folder / "fintecture-mcp", "--version"], check=True, stdout=subprocess.PIPE, text=True)
    assert said.stdout == f"fintecture-mcp {about.crate()['version']}\n", said.stdout
    pages = [folder / "README.md", *folder.glob("docs/*.md")]
    assert len(pages) > 1, pages
    for page in pages:
        for link in LINK.findall(page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} leads to {link}"
