#!/usr/bin/env python3
"""Installs every package of a folder as a person would, each from an empty home folder, and lists the tools with a client.

    packaging/test.py FOLDER [WAY...]        # after build.sh; without WAY all: files bundle wheel npm npm_ends_well cargo

The wheel and the npm packages come from registries of this machine that serve the folder, so that the command lines are
those of the documentation; the bundle is unpacked and started as a host does. Cargo installs the crate as it would be
published. It alone keeps its own home, with the crates that others made and what it has built of them already
(CARGO_TARGET_DIR): from nothing it takes ten minutes. Exit 1: one failed.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

import about
import contents
from local_registry import serve

HOME = Path(sys.prefix).parent
PYTHON = Path(sys.prefix) / "bin"
TOOLS = ["manage_bank_accounts", "manage_customers", "verify_identity"]
STARTED_WITHIN = 300  # seconds; uvx and npx install first
# What a program needs to reach the registries from here, and no settings of who runs this.
KEPT = ["LANG", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"]
KEPT += ["CARGO_TARGET_DIR", "CARGO_PROFILE_RELEASE_LTO", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS"]


def environment(home, **more):
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"HOME": str(home), "PATH": f"{PYTHON}:{os.environ['PATH']}", **more}


async def looked_at(command, arguments, variables, upstream):
    """The tools that a client sees, by name; whether customers can be created with them; on the simulator, its customers."""
    server = StdioServerParameters(command=str(command), args=arguments, env=variables, cwd=variables["HOME"])
    log = Path(variables["HOME"]) / "server.log"
    with log.open("w") as lines:
        try:
            async with asyncio.timeout(STARTED_WITHIN), Client(stdio_client(server, errlog=lines)) as client:
                return await tools_of(client, upstream)
        except Exception as error:
            raise AssertionError(f"{command} said:\n{log.read_text()}") from error


async def tools_of(client, upstream):
    tools = (await client.list_tools()).tools
    actions = next(tool for tool in tools if tool.name == "manage_customers").input_schema["properties"]["action"]
    listed = upstream == "simulator" and await client.call_tool("manage_customers", {"action": "list"})
    return sorted(tool.name for tool in tools), "create" in actions["enum"], listed


def started(command, arguments, variables, can_create=True, upstream="simulator"):
    """Starts it, and looks at its tools. Of the upstreams only the simulator is asked for anything."""
    names, creates, listed = asyncio.run(looked_at(command, arguments, variables, upstream))
    assert names == TOOLS, names
    assert creates == can_create, "create is offered" if creates else "create is not offered"
    assert not listed or listed.structured_content["environment"] == upstream, listed


def wheel(home, index):
    """uvx fintecture-mcp"""
    variables = environment(home, UV_DEFAULT_INDEX=f"{index}/simple/", UV_PYTHON_DOWNLOADS="never")
    started("uvx", ["fintecture-mcp"], variables)


def npm(home, index):
    """npx -y fintecture-mcp"""
    started("npx", ["-y", "fintecture-mcp"], environment(home, npm_config_registry=f"{index}/npm/"))


def npm_ends_well(home, index):
    """the launcher passes arguments, exit codes and signals on"""
    variables = environment(home, npm_config_registry=f"{index}/npm/")
    subprocess.run(["npm", "install", "--silent", "--prefix", home, "fintecture-mcp"], env=variables, check=True)
    launcher = [home / "node_modules/.bin/fintecture-mcp"]
    refused = subprocess.run([*launcher, "--nonsense"], env=variables, stderr=subprocess.PIPE, text=True)
    assert refused.returncode == 2 and "--nonsense" in refused.stderr, refused
    serving = subprocess.Popen(
        [*launcher, "serve", "--transport", "http", "--environment", "simulator", "--listen", "127.0.0.1:0"],
        env=variables, stderr=subprocess.PIPE, text=True,
    )
    try:
        assert any("serving Streamable HTTP" in line for line in serving.stderr)
        serving.terminate()
        assert serving.wait(30) == 0, serving.returncode
    finally:
        serving.kill()
    shutil.rmtree(next((home / "node_modules").glob("fintecture-mcp-*")))
    alone = subprocess.run([*launcher, "--version"], env=variables, stderr=subprocess.PIPE, text=True)
    assert alone.returncode == 1 and "there is no binary for this platform" in alone.stderr, alone


# All crates but ours are those of the release build; ours is compiled anew, for what is in it, not for its speed.
QUICKLY = ["--config", "profile.release.package.fintecture-mcp.opt-level=0"]


def cargo(home, _index):
    """cargo install fintecture-mcp"""
    cargo_home = os.environ.get("CARGO_HOME", str(Path.home() / ".cargo"))
    rustup_home = os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup"))
    variables = environment(home, CARGO_HOME=cargo_home, RUSTUP_HOME=rustup_home)
    packed = ["cargo", "package", "--quiet", "--no-verify", "--allow-dirty", "--offline"]
    subprocess.run(packed, env=variables, cwd=about.ROOT, check=True)
    # Where Cargo itself unpacks it to verify it. A place that stays, so that a second run finds it built.
    name = f"fintecture-mcp-{about.crate()['version']}"
    crate = about.target_folder() / "package" / name
    shutil.rmtree(crate, ignore_errors=True)
    with tarfile.open(crate.with_name(f"{name}.crate")) as opened:
        opened.extractall(crate.parent)
    command = ["cargo", "install", "--quiet", "--locked", "--offline", "--path", crate, "--root", home / ".local"]
    # What is built goes to the rest, but for the binary: the one that lies there is the release's.
    variables |= {"CARGO_BUILD_BUILD_DIR": str(about.target_folder()), "CARGO_TARGET_DIR": str(home / "target")}
    subprocess.run([*command, *QUICKLY], env=variables, cwd=home, check=True)
    started(home / ".local/bin/fintecture-mcp", [], environment(home))


# What a person may have filled in. The names are those of the bundle's manifest.
SETTINGS = [
    {},
    {"read_only": True},
    {"customer_token": "", "app_id": "", "app_secret": "", "private_key_file": "", "confirm_writes": ""},
    {"environment": "sandbox", "customer_token": "token"},
    {"environment": "sandbox", "app_id": "id", "app_secret": "secret"},
    {"environment": "production", "customer_token": "token", "confirm_writes": "always"},
]
# What is refused, and what the host's log then says.
REFUSED = [
    ({"environment": ""}, "FINTECTURE_ENVIRONMENT is set, but empty"),
    ({"environment": "sandbox"}, "sandbox needs FINTECTURE_CUSTOMER_TOKEN"),
    (
        {"environment": "sandbox", "customer_token": "token", "app_id": "id", "app_secret": "secret"},
        "FINTECTURE_CUSTOMER_TOKEN and FINTECTURE_APP_SECRET are both set",
    ),
]


def files(home, _index):
    """the checksums, the list of components, and the archive"""
    contents.checksums(PACKAGES)
    contents.components(only(f"*-{sys.platform}-*.cdx.json"))
    contents.archive(only(f"*-{sys.platform}-*.tar.gz"), home)


def bundle(home, _index):
    """the bundle, unpacked and started as a host does"""
    packed = only(f"*-{sys.platform}-*.mcpb")
    folder = home / "extension"
    mcpb = HOME / "node_modules/.bin/mcpb"
    subprocess.run([mcpb, "unpack", packed, folder], env=environment(home), check=True, stdout=subprocess.DEVNULL)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [tool["name"] for tool in manifest["tools"]] == TOOLS, manifest["tools"]
    asked = {variable["name"] for variable in about.template("variables.json")}
    assert asked == set(manifest["server"]["mcp_config"]["env"]), asked
    hidden = [name for name, option in manifest["user_config"].items() if option.get("sensitive")]
    assert hidden == ["customer_token", "app_secret"], hidden
    # Hosts of 2026 leave the placeholder of an option that has no default, and was not filled in, as it stands.
    for leaves_placeholders in (False, True):
        for settings in SETTINGS:
            config = configured(home, folder, settings, leaves_placeholders)
            upstream, can_create = settings.get("environment", "simulator"), not settings.get("read_only")
            try:
                started(config["command"], config["args"], environment(home, **config["env"]), can_create, upstream)
            except Exception as error:
                raise AssertionError(f"{settings}, placeholders left: {leaves_placeholders}") from error
        for settings, why in REFUSED:
            config = configured(home, folder, settings, leaves_placeholders)
            refused = subprocess.run(
                [config["command"], *config["args"]], env=environment(home, **config["env"]), stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True,
            )
            assert refused.returncode == 2 and why in refused.stderr, (settings, leaves_placeholders, refused)


def configured(home, folder, settings, leaves_placeholders):
    """What the host starts: command, args and env."""
    if leaves_placeholders:
        manifest = json.loads((folder / "manifest.json").read_text())
        for option in manifest["user_config"].values():
            if option["default"] == "":
                del option["default"]
        folder = folder.with_name("placeholders")
        shutil.copytree(folder.with_name("extension"), folder, dirs_exist_ok=True)
        about.write(folder / "manifest.json", manifest)
    command = ["node", HOME / "host.mjs", folder, json.dumps(settings)]
    done = subprocess.run(command, env=environment(home), check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def only(pattern):
    found = list(PACKAGES.glob(pattern))
    assert len(found) == 1, f"{pattern} in {PACKAGES}: {found}"
    return found[0]


def main():
    failed = False
    with serve(PACKAGES) as index:
        for install in [way for way in ALL if way.__name__ in CHOSEN or not CHOSEN]:
            began = time.monotonic()
            with tempfile.TemporaryDirectory() as home:
                try:
                    install(Path(home), index)
                    outcome = "ok  "
                except Exception:  # every one is tried, and what went wrong is shown
                    failed, outcome = True, "FAIL"
                    traceback.print_exc(file=sys.stdout)
            print(f"{outcome} {install.__doc__}, {time.monotonic() - began:.1f} s", flush=True)
    sys.exit(failed)


ALL = [files, bundle, wheel, npm, npm_ends_well, cargo]
PACKAGES, CHOSEN = Path(sys.argv[1]).resolve(), sys.argv[2:]
main()
