"""Configurations of MCP clients: each server in them is started, or asked, as the client would, and lists three tools."""

import json
import re
import subprocess
import urllib.error
import urllib.request

import json5

from state import LOCAL, PUBLIC

TOOLS = {"manage_customers", "manage_bank_accounts", "verify_identity"}
PATIENCE = 20  # seconds for an answer over HTTP, and for a server on stdio as a whole
RUNNERS = ("uvx", "npx", "podman", "docker")


def problem(session, block):
    """What is wrong with the servers of a configuration; other JSON is none of this file's business."""
    shown = json5.loads(block.text)
    servers = shown if isinstance(shown, dict) else {}
    servers = servers.get("mcpServers") or servers.get("servers") or servers.get("mcp", {}).get("servers")
    if not isinstance(servers, dict):
        return None
    for name, server in servers.items():
        try:
            tools = asked(session, server) if "url" in server else started(session, server)
        except (ValueError, OSError, subprocess.SubprocessError) as error:
            return f"{name}: {error}"
        if tools != TOOLS:
            return f"{name}: it lists {tools}"
    return None


def messages():
    """What a client says first, and then."""
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "docs", "version": "1"}}
    yield {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}
    yield {"jsonrpc": "2.0", "method": "notifications/initialized"}
    yield {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


def names(answer):
    return {tool["name"] for tool in answer["result"]["tools"]}


def started(session, server):
    """Starts a server of standard input and output; `uvx` and the like are taken for the program that they run."""
    words = [re.split(r"[/\\]", server["command"])[-1], *server.get("args", [])]
    if words[0] in RUNNERS and "fintecture-mcp" in words:
        words = words[words.index("fintecture-mcp") :]
    if words[0] not in ("fintecture-mcp", "fintecture-mcp.exe"):
        raise ValueError(f"{server['command']} is another program")
    arguments = [session.state.replaced(word) for word in words[1:]]
    environment = dict(session.environment)
    for name, value in server.get("env", {}).items():
        value = re.sub(r"\$\{[^}]*\}", "of-the-documentation", value)
        environment[name] = str(session.work / "token") if name.endswith("_FILE") else session.state.replaced(value)
    session.state.give_upstream(arguments, environment)
    said = "".join(json.dumps(message) + "\n" for message in messages())
    done = subprocess.run(
        [session.state.program, *arguments], input=said, env=environment, cwd=session.work,
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )
    if done.returncode:
        raise ValueError(f"exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return next((names(answer) for answer in answers if answer.get("id") == 2), None)


def asked(session, server):
    """Asks a server that is found by its address: one of the page, or one that is started with what the entry holds."""
    address, headers = server["url"].replace(PUBLIC, LOCAL), server.get("headers", {})
    if not re.match(r"http://(127\.0\.0\.1|localhost):8080/(mcp|sse)$", address):
        raise ValueError(f"{address}: not the address that `serve --transport http` says, nor one of another machine")
    environment = dict(session.environment)
    token = "of-the-documentation-and-long-enough"
    if "Authorization" in headers:
        environment["FINTECTURE_MCP_TOKEN"] = token
    session.state.serve(["serve", "--transport", "http", "--environment", "simulator"], environment)
    address = session.state.replaced(address)
    if address.endswith("/sse"):
        with call(address, token) as stream:
            if stream.readline().strip() != b"event: endpoint":
                raise ValueError(f"{address} is no legacy SSE")
        return TOOLS
    session_id = None
    for message in messages():
        with call(address, token, message, session_id) as response:
            session_id = session_id or response.headers["Mcp-Session-Id"]
            text = response.read().decode()
    lines = [line.removeprefix("data:") for line in text.splitlines() if line.startswith(("data:", "{"))]
    return next((names(json.loads(line)) for line in lines if '"tools"' in line), None)


def call(address, token, message=None, session_id=None):
    request = urllib.request.Request(address, json.dumps(message).encode() if message else None)
    request.add_header("Accept", "application/json, text/event-stream" if message else "text/event-stream")
    request.add_header("Authorization", f"Bearer {token}")
    if message:
        request.add_header("Content-Type", "application/json")
        request.add_header("MCP-Protocol-Version", "2025-11-25")
    if session_id:
        request.add_header("Mcp-Session-Id", session_id)
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE)
