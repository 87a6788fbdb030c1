#!/usr/bin/env python3
"""Calls the nine operations through the built server over stdio, against an upstream of the caller's choice.

    nine_operations.py target/debug/fintecture-mcp http://127.0.0.1:4010

Prints a line a call. Exit 1: one came back as an error.
"""

import json
import os
import subprocess
import sys

CALLS = [
    ("manage_customers", {"action": "list", "page": 2, "page_size": 50, "external_id": "crm 1042 & é/?"}),
    ("manage_customers", {"action": "create", "first_name": "Zoé", "last_name": "山田", "email": "zoe@example.com"}),
    ("manage_customers", {"action": "get", "customer_id": "c-1"}),
    ("manage_bank_accounts", {"action": "list", "customer_id": "c-1"}),
    ("manage_bank_accounts", {"action": "create", "customer_id": "c-1", "iban": "NO9386011117947", "holder_name": "عائشة"}),
    ("manage_bank_accounts", {"action": "get", "customer_id": "c-1", "account_id": "a_1"}),
    ("verify_identity", {"action": "start", "customer_id": "c-1", "expected_name": "Zoé 山田"}),
    ("verify_identity", {"action": "get", "customer_id": "c-1", "verification_id": "v-1"}),
    ("verify_identity", {"action": "list", "customer_id": "c-1"}),
]


# The simulator's own ids, for an upstream that would not know c-1.
SEEDED = {"c-1": "sim_cus_oscar", "a_1": "sim_acc_oscar", "v-1": "sim_ver_oscar_verified"}
if os.environ.get("SEEDED"):
    for _, arguments in CALLS:
        arguments.update({name: SEEDED.get(value, value) for name, value in arguments.items()})


def play(server, base_url, settings):
    """The answers that are errors."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FINTECTURE_")}
    ours |= {"FINTECTURE_ENVIRONMENT": "sandbox", "FINTECTURE_BASE_URL": base_url, "FINTECTURE_CUSTOMER_TOKEN": "token"}
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "nine", "version": "1"}}
    messages = [{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}]
    for number, (tool, arguments) in enumerate(CALLS, 1):
        params = {"name": tool, "arguments": arguments}
        messages.append({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
    lines = "".join(json.dumps(message) + "\n" for message in messages)
    done = subprocess.run([server], input=lines, env=ours | settings, capture_output=True, text=True, timeout=120)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(answers) != len(messages):
        sys.exit(f"the server ended with {done.returncode} after {len(answers)} answers:\n{done.stderr}")
    return [answer for answer in answers if "error" in answer or answer["result"].get("isError")]


if __name__ == "__main__":
    failed = {answer["id"]: answer for answer in play(sys.argv[1], sys.argv[2], {})}
    for number, (tool, arguments) in enumerate(CALLS, 1):
        print("FAIL" if number in failed else "ok  ", tool, arguments["action"], failed.get(number, ""))
    sys.exit(1 if failed else 0)
