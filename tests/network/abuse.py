#!/usr/bin/env python3
"""One client does its worst, and another one must not notice.

    abuse.py target/debug/fintecture-mcp

With a good token, from an address of its own: 50,000 sessions opened and left, 5,000 streams opened and never read,
requests whose head or body never ends, and calls at full speed against its limit. Meanwhile another client's calls must
all succeed, and their p99 stay within twice its undisturbed value of the same run. Afterwards all is reclaimed.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from stack import Stack
from wire import LEGACY, SESSIONS, STATELESS, Broken, Client, Connection, Refused

HOST, WORST = "127.0.0.1", "127.0.0.2"
SESSIONS_LEFT, IDLE_STREAMS, SLOW = 50_000, 5_000, 400
AT_ONCE = 40  # tasks of the bad client that open sessions
UNDISTURBED = 15  # seconds, before and again after
PAUSE = 0.05  # seconds between two calls of the good client
IDLE, MOST_MEMORY = 20, 400 * 2**20
FACTOR = 2.0
RECLAIMED_WITHIN = 150  # seconds: an upstream connection is closed one to two minutes after its last use


async def good_calls(client, customer, until, took):
    """Calls one after the other, each a success, until told."""
    while not until():
        started = time.perf_counter()
        result = await client.call("manage_customers", {"action": "get", "customer_id": customer})
        took.append(time.perf_counter() - started)
        assert "error" not in result, result
        await asyncio.sleep(PAUSE)


def p99(took):
    return sorted(took)[int(len(took) * 0.99)]


async def leave_sessions(port, token, number, counts):
    """Opens sessions and leaves them: no DELETE, connections kept."""
    client = Client(SESSIONS[0], HOST, port, token, "worst", WORST)
    about = {"protocolVersion": client.era, "capabilities": {}, "clientInfo": {"name": "worst", "version": "1"}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}).encode()
    for _ in range(number):
        try:
            status, headers, _ = await client.connection.request("POST", "/mcp", client.headers(), body)
            assert status == 200 or "retry-after" in headers, f"{status} without Retry-After"
            counts[f"initialize {status}"] += 1
        except Broken:
            counts["initialize broken"] += 1
    client.connection.close()


async def idle_stream(port, token, counts, held):
    connection = Connection(HOST, port, WORST)
    try:
        headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
        async with asyncio.timeout(30):
            status, answered = await connection.send("GET", "/sse", headers)
        counts[f"stream {status}"] += 1
        assert status == 200 or "retry-after" in answered, f"{status} without Retry-After"
        held.append(connection)
    except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError):
        counts["stream broken"] += 1
        connection.close()


async def slow(port, token, kind, counts, held):
    """A request that never ends: a byte now and then."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port, local_addr=(WORST, 0))
        held.append(writer)
        begin = f"POST /mcp HTTP/1.1\r\nhost: {HOST}:{port}\r\n"
        if kind == "body":
            begin += f"authorization: Bearer {token}\r\ncontent-type: application/json\r\n"
            begin += "accept: application/json, text/event-stream\r\ncontent-length: 100000\r\n\r\n{"
        writer.write(begin.encode())
        while not reader.at_eof():
            writer.write(b"x" if kind == "head" else b" ")
            await writer.drain()
            try:
                async with asyncio.timeout(1):
                    if not await reader.read(1000):
                        break
            except TimeoutError:
                pass
        counts[f"slow {kind} ended by the server"] += 1
    except OSError:
        counts[f"slow {kind} ended by the server"] += 1


async def full_speed(port, token, customer, until, counts):
    client = Client(STATELESS, HOST, port, token, "worst", WORST)
    while not until():
        try:
            result = await client.call("manage_customers", {"action": "get", "customer_id": customer})
            counts[f"full speed {result.get('error', {}).get('kind', 'success')}"] += 1
        except (Broken, Refused) as error:
            counts[f"full speed {getattr(error, 'status', 'broken')}"] += 1
            client.drop()


async def worst(port, token, number_of):
    """All of it, in a process of its own: prints what it saw when it is told to end."""
    os.nice(10)
    counts, held = Counter(), []
    tasks = [asyncio.create_task(slow(port, token, kind, counts, held)) for kind in ("head", "body") for _ in range(SLOW)]
    each = number_of // AT_ONCE
    sessions = [asyncio.create_task(leave_sessions(port, token, each, counts)) for _ in range(AT_ONCE)]
    for start in range(0, IDLE_STREAMS, 50):
        await asyncio.gather(*(idle_stream(port, token, counts, held) for _ in range(start, start + 50)))
    await asyncio.gather(*sessions)
    print(json.dumps(counts), flush=True)
    await asyncio.to_thread(sys.stdin.read)  # holds what it has until it is told to end
    for task in tasks:
        task.cancel()


async def gauges(port, token):
    """The sessions and streams that the server says are open, by kind."""
    connection = Connection(HOST, port)
    _, _, text = await connection.request("GET", "/metrics", {"authorization": f"Bearer {token}"})
    connection.close()
    found = re.findall(r'^fintecture_mcp_sessions\{kind="(\w+)"\} (\S+)', text.decode(), re.M)
    return {kind: float(count) for kind, count in found}


async def run(stack):
    tokens_file, tokens = stack.tokens(["good", "worst"])
    upstream = stack.simulator()
    flags = ["--auth-tokens", tokens_file, "--limit", f"session-idle-seconds={IDLE}", "--limit", "calls-per-minute=4000", "--confirm-writes", "never"]
    server = stack.replica("server", upstream, *flags).start()
    problems, customer = [], "sim_cus_ada"
    clients = {era: Client(era, HOST, server.port, tokens["good"], "good") for era in (STATELESS, SESSIONS[0], LEGACY)}
    before, during, speed = [], [], []
    end = time.monotonic() + UNDISTURBED
    await asyncio.gather(*(good_calls(client, customer, lambda: time.monotonic() > end, before) for client in clients.values()))
    files_before, memory_before = len(os.listdir(f"/proc/{server.process.pid}/fd")), server.memory()

    bad = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--worst", str(server.port), tokens["worst"],
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )
    said = asyncio.create_task(bad.stdout.readline())
    await asyncio.gather(*(good_calls(client, customer, said.done, during) for client in clients.values()))
    counts = Counter(json.loads(said.result() or b"{}"))
    peak = server.memory()
    open_then = await gauges(server.port, tokens["good"])

    end = time.monotonic() + 10
    until = lambda: time.monotonic() > end
    await asyncio.gather(
        *(full_speed(server.port, tokens["worst"], customer, until, counts) for _ in range(30)),
        *(good_calls(client, customer, until, speed) for client in clients.values()),
    )
    bad.stdin.close()
    await bad.wait()

    deadline, open_now, files = time.monotonic() + RECLAIMED_WITHIN, {}, 0
    while time.monotonic() < deadline:
        open_now = await gauges(server.port, tokens["good"])
        files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        if sum(open_now.values()) <= len(clients) and files <= files_before + 10:
            break
        # The good client's own session must not end meanwhile.
        for client in clients.values():
            await client.call("manage_customers", {"action": "get", "customer_id": customer})
        await asyncio.sleep(1)
    else:
        problems.append(f"not reclaimed: {open_now}, {files} files open, {files_before} before")
    # What the machine itself adds changes from minute to minute, so the undisturbed value is that of both ends.
    end = time.monotonic() + UNDISTURBED
    await asyncio.gather(*(good_calls(client, customer, lambda: time.monotonic() > end, before) for client in clients.values()))
    for client in clients.values():
        await client.end()
    code = server.stop()

    ratio = p99(during) / p99(before)
    print(f"{len(before)} calls undisturbed, {len(during)} during the worst: p99 {p99(before)*1e3:.1f} and {p99(during)*1e3:.1f} ms, ratio {ratio:.2f}")
    print(f"at full speed of another: {len(speed)} calls, p99 {p99(speed)*1e3:.1f} ms")
    print(f"memory {memory_before >> 20} MB, then {peak >> 20} MB; open {open_then}, afterwards {open_now}")
    for what, count in sorted(counts.items()):
        print(f"  {count} {what}")
    if ratio > FACTOR:
        problems.append(f"the p99 of another client is {ratio:.2f} times its undisturbed value")
    if peak > MOST_MEMORY:
        problems.append(f"{peak >> 20} MB of memory")
    if not counts["full speed rate_limited"]:
        problems.append("the client at full speed never met its limit")
    if counts["initialize 429"] + counts["initialize 503"] == 0 or counts["stream 429"] + counts["stream 503"] == 0:
        problems.append("no cap was met")
    if code != 0:
        problems.append(f"the server ended with {code}")
    for problem in problems:
        print("FAIL", problem)
    if problems:
        print(server.log.read_text()[-3000:])
    return 1 if problems else 0


def main(binary):
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(binary, Path(folder))
        try:
            return asyncio.run(run(stack))
        finally:
            stack.end()


if __name__ == "__main__":
    if sys.argv[1] == "--worst":
        asyncio.run(worst(int(sys.argv[2]), sys.argv[3], SESSIONS_LEFT))
    else:
        sys.exit(main(sys.argv[1]))
