#!/usr/bin/env python3
"""Three replicas behind nginx, one Redis: clients of every era play a KYC story while replicas are killed and Redis is
restarted.

    replicas.py target/debug/fintecture-mcp [CLIENTS]

Every story must end right, or with an error of the contract. A client whose call was in flight at a killed replica
connects again and goes on with the same arguments. Exit 1: a write happened twice, an answer reached the wrong client,
a story ended otherwise, Redis held something readable, or an audit trail does not verify.
"""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

from stack import Stack
from wire import ERAS, Broken, Client, Refused

STORIES = 8  # of each client, one after the other
STORY_WITHIN = 240  # seconds
KILL_EVERY = 1.2  # seconds
PROVIDER = "sim-slow"
FINAL = {"outcome_unknown"}
TRY_AGAIN = {"internal", "rate_limited", "upstream_unavailable"}


class Ended(Exception):
    """The story ended with an error of the contract that says so."""


def iban(number):
    """A German IBAN that is nobody's."""
    bban = f"{50010517 * 10**10 + number:018d}"
    check = 98 - int(bban + "131400") % 97
    return f"DE{check:02d}{bban}"


class Story:
    """One customer from nothing to dossier, and what is known of them afterwards."""

    def __init__(self, client, number, counts):
        self.client, self.counts = client, counts
        self.key = f"story-canary-{number}"
        self.iban = iban(number)
        self.first_name = f"Canary{chr(65 + number // 26 % 26)}{chr(65 + number % 26)}"
        self.customer_id = None

    async def call(self, tool, **arguments):
        """A result, however often it takes."""
        while True:
            try:
                result = await self.client.call(tool, arguments)
            except Broken:
                self.counts["broken, connected again"] += 1
                self.client.drop()
                await asyncio.sleep(0.2)
                continue
            except Refused as refused:
                # The session is gone, a balancer found nobody, or there is no room just now.
                if refused.status not in (404, 429, 502, 503, 504):
                    raise
                self.counts[f"HTTP {refused.status}, connected again"] += 1
                self.client.drop()
                await asyncio.sleep(0.3)
                continue
            error = result.get("error")
            if error is None:
                return result
            self.counts[f"error {error['kind']}"] += 1
            if error["kind"] in TRY_AGAIN:
                assert error.get("outcome") != "unknown", error
                await asyncio.sleep(min(error.get("retry_after_seconds", 0.3), 2))
                continue
            if error["kind"] == "conflict" and error.get("customer_id"):
                return {"customer": {"id": error["customer_id"]}}
            if error["kind"] in FINAL:
                return await self.found(tool, error)
            raise AssertionError(f"{tool} {arguments['action']}: {error}")

    async def found(self, tool, error):
        """After an unknown outcome: what the hint says, which is to look. Where nothing is found, that is the end."""
        if tool == "manage_customers":
            listed = (await self.call(tool, action="list", external_id=self.key))["customers"]
            of_ours = [record for record in listed if record.get("external_id") == self.key]
            if of_ours:
                return {"customer": of_ours[0]}
        elif tool == "manage_bank_accounts":
            listed = (await self.call(tool, action="list", customer_id=self.customer_id))["bank_accounts"]
            if listed:
                return {"bank_account": listed[0]}
        else:
            listed = (await self.call(tool, action="list", customer_id=self.customer_id))["verifications"]
            if listed:
                return {"verification": listed[0]}
        raise Ended(error["kind"])

    async def play(self):
        created = await self.call(
            "manage_customers",
            action="create",
            first_name=self.first_name,
            last_name="Story",
            email=f"{self.key}@canary.example",
            external_id=self.key,
        )
        self.customer_id = created["customer"]["id"]
        await self.call(
            "manage_bank_accounts",
            action="create",
            customer_id=self.customer_id,
            iban=self.iban,
            holder_name=f"{self.first_name} Story",
        )
        started = await self.call(
            "verify_identity",
            action="start",
            customer_id=self.customer_id,
            provider_id=PROVIDER,
            expected_name=f"{self.first_name} Story",
            wait_seconds=1,
        )
        verification = started["verification"]["id"]
        while True:
            got = await self.call(
                "verify_identity",
                action="get",
                customer_id=self.customer_id,
                verification_id=verification,
                wait_seconds=5,
            )
            if got["verification"]["status"] != "pending":
                break
        dossier = (await self.call("verify_identity", action="dossier", customer_id=self.customer_id))["dossier"]
        text = json.dumps(dossier)
        assert self.customer_id in text and self.first_name in text, f"another customer's dossier: {text[:300]}"


async def play_all(client, first, counts, problems):
    for number in range(first, first + STORIES):
        story = Story(client, number, counts)
        try:
            async with asyncio.timeout(STORY_WITHIN):
                await story.play()
            counts["stories that ended right"] += 1
        except Ended as ended:
            counts[f"stories that ended with {ended}"] += 1
        except (AssertionError, TimeoutError, Refused, KeyError) as error:
            problems.append(f"{client.era} {story.key}: {type(error).__name__}: {error}")
    await client.end()


async def disturb(replicas, redis, done, counts):
    """Kills replicas, and restarts Redis now and then, until all is played."""
    chaos, rounds = random.Random(20261122), 0
    while not done.is_set():
        try:
            await asyncio.wait_for(done.wait(), KILL_EVERY)
            return
        except TimeoutError:
            pass
        rounds += 1
        victim = redis if rounds % 4 == 0 else chaos.choice(replicas)
        await asyncio.to_thread(victim.kill)
        await asyncio.sleep(chaos.uniform(0.1, 1.0))
        await asyncio.to_thread(victim.start)
        counts[f"kill -9 of {'Redis' if victim is redis else 'a replica'}"] += 1


def records(upstream, token, path):
    """Every record of a list, from the simulator itself."""
    page, found = 1, []
    while True:
        address = f"http://127.0.0.1:{upstream.port}/v1{path}?page%5Bnumber%5D={page}&page%5Bsize%5D=100"
        request = urllib.request.Request(address, headers={"authorization": f"Bearer {token}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            batch = json.load(answer)["data"]
        new = [record for record in batch if record not in found]
        found += new
        if not new:
            return found
        page += 1


def twice(upstream, token):
    """What stands at the upstream more than once."""
    customers = records(upstream, token, "/customers")
    text = lambda record, name: record.get(name) or record.get("attributes", {}).get(name)
    ours = [record for record in customers if str(text(record, "external_id")).startswith("story-canary-")]
    found = Counter(text(record, "external_id") for record in ours)
    problems = [f"{count} customers of {key}" for key, count in found.items() if count > 1]
    for record in ours:
        for kind in ("bank-accounts", "verifications"):
            count = len(records(upstream, token, f"/customers/{record['id']}/{kind}"))
            if count > 1:
                problems.append(f"{count} {kind} of {text(record, 'external_id')}")
    return len(ours), problems


def readable(redis_folder, canaries):
    """Which canaries stand in what Redis has written down, everything that it ever held."""
    held = b"".join(path.read_bytes() for path in redis_folder.rglob("*") if path.is_file())
    assert len(held) > 1000, "Redis held nothing: the replicas did not use it"
    return [canary for canary in canaries if canary.encode() in held]


def main(binary, clients):
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(binary, folder)
        try:
            return run(stack, clients)
        finally:
            stack.end()


def run(stack, number_of_clients):
    names = [f"client-{number}" for number in range(number_of_clients)]
    tokens_file, tokens = stack.tokens(names)
    upstream, redis, store_key = stack.simulator(), stack.redis(), stack.key("store-key")
    replicas = []
    for number in (1, 2, 3):
        trail = stack.folder / f"audit-{number}.jsonl"
        flags = ["--auth-tokens", tokens_file, "--store", f"redis://127.0.0.1:{redis.port}", "--store-key", store_key]
        flags += ["--trusted-proxy", "127.0.0.1/32", "--audit-log", trail, "--confirm-writes", "never"]
        replicas.append(stack.replica(f"replica-{number}", upstream, *flags, "--public-url", "http://127.0.0.1"))
    nginx = stack.nginx(replicas)
    for replica in replicas:
        # Clients name nginx's address, so that is the replicas' public name.
        replica.command[replica.command.index("http://127.0.0.1")] = f"http://127.0.0.1:{nginx.port}"
        replica.start()
    nginx.start()

    counts, problems, started = Counter(), [], time.monotonic()

    async def play():
        done = asyncio.Event()
        chaos = asyncio.create_task(disturb(replicas, redis, done, counts))
        players = [
            play_all(Client(ERAS[number % len(ERAS)], "127.0.0.1", nginx.port, tokens[name], name), number * STORIES, counts, problems)
            for number, name in enumerate(names)
        ]
        await asyncio.gather(*players)
        done.set()
        await chaos

    asyncio.run(play())
    made, duplicates = twice(upstream, stack.upstream_token)
    problems += duplicates
    canaries = ["story-canary-", "canary.example", iban(0), iban(7), "CanaryA", "Story", *tokens.values(), names[0], stack.upstream_token]
    problems += [f"Redis held {canary}" for canary in readable(stack.folder / "redis", canaries)]
    for replica in replicas:
        code = replica.stop()
        if code != 0:
            problems.append(f"{replica.name} ended with {code}")
        log = replica.log.read_text()
        problems += [f"{replica.name} logged {canary}" for canary in canaries[:5] + list(tokens.values()) if canary in log]
    for trail in sorted(stack.folder.glob("audit-*.jsonl")):
        verified = subprocess.run([stack.binary, "audit", "verify", trail], capture_output=True, text=True)
        if verified.returncode != 0:
            problems.append(f"{trail.name}: {verified.stdout}{verified.stderr}")
        problems += [f"{trail.name} holds {canary}" for canary in canaries[:5] if canary in trail.read_text()]
    print(f"{number_of_clients} clients, {made} customers, {time.monotonic() - started:.0f} s")
    for what, count in sorted(counts.items()):
        print(f"  {count} {what}")
    expected = number_of_clients * STORIES
    played = sum(count for what, count in counts.items() if what.startswith("stories"))
    if played != expected:
        problems.append(f"{played} of {expected} stories ended")
    if not counts["stories that ended right"] or made < counts["stories that ended right"]:
        problems.append(f"{counts['stories that ended right']} stories ended right, with {made} customers")
    if not counts["kill -9 of a replica"]:
        problems.append("nothing was killed: the test is too short")
    for problem in problems[:40]:
        print("FAIL", problem)
    if problems:
        for process in stack.processes:
            print(f"-- {process.name}:\n{process.log.read_text()[-2000:]}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50))
