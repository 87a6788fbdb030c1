"""The KYC story, and the facts that must hold whatever client tells it.

A client brings `call(tool, arguments)`, which returns an `Answer`; the story does not know how it got there.
"""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass

TOOLS = {"manage_customers", "manage_bank_accounts", "verify_identity"}
IBAN = "FR7630006000011234567890189"
DECIDED_WITHIN = 30  # seconds; the simulator's slow bank takes three
BETWEEN_READS = 0.5  # seconds


@dataclass
class Answer:
    """A tool's result as a client library hands it over."""

    is_error: bool
    structured: dict | None
    text: str


def expect(fact, why):
    if not fact:
        raise AssertionError(why)


def check_tools(names):
    expect(set(names) == TOOLS and len(names) == len(TOOLS), f"tools are {sorted(names)}")


def check_answer(answer, action):
    """What every result keeps to; returns its content."""
    expect(isinstance(answer.structured, dict), f"{action}: no structuredContent beside {answer.text}")
    expect(json.loads(answer.text) == answer.structured, f"{action}: the text is not the structuredContent")
    expect(answer.structured["environment"] == "simulator", f"{action}: {answer.structured}")
    expect(answer.structured["action"] == action, f"{action}: {answer.structured}")
    return answer.structured


async def play(call):
    """Plays the story through `call`; raises AssertionError where a fact does not hold."""

    async def succeed(tool, **arguments):
        answer = await call(tool, arguments)
        content = check_answer(answer, arguments["action"])
        expect(not answer.is_error and "error" not in content, f"{tool}: {content}")
        return content

    # Of its own for each telling: a second customer with the same external_id is refused.
    reference = f"interop-{uuid.uuid4()}"
    person = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com", "external_id": reference}
    customer = (await succeed("manage_customers", action="create", **person))["customer"]
    expect(customer["id"].startswith("sim_"), f"the customer's id is {customer['id']}")
    expect(person.items() <= customer.items(), f"created {customer}")
    of_customer = {"customer_id": customer["id"]}

    account = {**of_customer, "iban": IBAN, "holder_name": "Grace Hopper"}
    attached = (await succeed("manage_bank_accounts", action="create", **account))["bank_account"]
    listed = (await succeed("manage_bank_accounts", action="list", **of_customer))["bank_accounts"]
    expect([each["id"] for each in listed] == [attached["id"]], f"accounts are {listed}")

    check = {**of_customer, "provider_id": "sim-slow", "expected_name": "Grace Hopper"}
    started = await succeed("verify_identity", action="start", **check)
    verification = started["verification"]
    expect(verification["status"] == "pending" and started["hint"], f"started {started}")
    deadline = time.monotonic() + DECIDED_WITHIN
    while verification["status"] == "pending":
        expect(time.monotonic() < deadline, "the verification is never decided")
        await asyncio.sleep(BETWEEN_READS)
        read = {**of_customer, "verification_id": verification["id"]}
        verification = (await succeed("verify_identity", action="get", **read))["verification"]
    expect(verification["status"] == "verified" and verification["match_score"] == 1, f"decided {verification}")

    refused = await call("manage_bank_accounts", {"action": "create", **account, "iban": "FR00"})
    error = check_answer(refused, "create")["error"]
    expect(refused.is_error and error["kind"] == "invalid_input", f"a wrong IBAN gives {error}")
    expect([problem["field"] for problem in error["problems"]] == ["iban"], f"problems are {error['problems']}")
    expect(error["outcome"] == "not_applied", f"outcome of a refused write: {error}")
