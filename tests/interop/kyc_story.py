"""The KYC story in its acts, and what must be known at the end of each, whatever client played it.

A client brings what `kyc_python.py` has: calls, a wait that it gives up, resources, prompts, and a person who answers.
Acts and facts stand in `kyc_facts.json`, which `kyc_story.mjs` plays from, too.
"""

import json
import re
import uuid
from pathlib import Path

from story import check_answer, expect

TABLE = json.loads(Path(__file__).with_name("kyc_facts.json").read_text())
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
UNSENT = {"action", "wait_seconds"}
DOSSIER = "fintecture://customers/{}/dossier"


class Act:
    """One act: its records' ids, and what came to be known."""

    def __init__(self, client, name):
        self.client, self.name = client, name
        self.reference = f"interop-{uuid.uuid4()}"
        self.names = {self.reference: "REFERENCE"}
        self.facts = {}

    def know(self, **facts):
        """Facts, with words in place of what differs from one playing to the next."""
        text = json.dumps(facts)
        for unique, word in self.names.items():
            text = text.replace(unique, word)
        self.facts |= json.loads(TIME.sub("TIME", text))

    async def read(self, tool, action, **arguments):
        answer = await self.client.call(tool, {"action": action, **arguments})
        content = check_answer(answer, action)
        expect(not answer.is_error and "error" not in content, f"{self.name}: {tool} {action}: {content}")
        return content, answer

    async def write(self, tool, action, says="accept", **arguments):
        """A write whose person says this, where one is asked; its content and answer."""
        client, arguments = self.client, {"action": action, **arguments}
        client.person.says = says
        answer = await client.call(tool, arguments)
        content = check_answer(answer, action)
        if content.get("error", {}).get("kind") == "confirmation_required":
            expect(client.goes_to_page, f"{self.name}: a client that can ask gets {content}")
            expect(content["error"]["outcome"] == "not_applied", f"{self.name}: {content}")
            await client.person.decide_on(content["error"]["approval"]["url"])
            answer = await client.call(tool, arguments)
            content = check_answer(answer, action)
        shown, client.person.shown = client.person.shown, []
        expect(len(shown) == (1 if client.is_asked else 0), f"{self.name}: {tool} {action} was shown as {shown}")
        for text in filter(None, shown):
            for name, value in arguments.items():
                looks = " ".join(re.findall(".{1,4}", value)) if name == "iban" else str(value)
                expect(name in UNSENT or looks in text, f"{self.name}: {name} is not shown in {text}")
        return content, answer

    async def refused(self, tool, action, says, **arguments):
        content, answer = await self.write(tool, action, says, **arguments)
        expect(answer.is_error, f"{self.name}: {content}")
        return {"kind": content["error"]["kind"], "outcome": content["error"]["outcome"]}

    async def register(self):
        """The act's customer, with the links of the result."""
        person = {**TABLE["acts"][self.name]["customer"], "external_id": self.reference}
        content, answer = await self.write("manage_customers", "create", **person)
        expect("customer" in content, f"{self.name}: {content}")
        self.customer_id = content["customer"]["id"]
        self.names[self.customer_id] = "CUSTOMER"
        self.know(customer=content["customer"])
        return list(answer.links)

    async def check(self):
        """Account, verification and dossier: the way of an agent who was told to check a customer."""
        script, links = TABLE["acts"][self.name], await self.register()
        of_customer = {"customer_id": self.customer_id}
        content, answer = await self.write("manage_bank_accounts", "create", **of_customer, **script["account"])
        expect("bank_account" in content, f"{self.name}: {content}")
        self.names[content["bank_account"]["id"]] = "ACCOUNT"
        self.know(bank_account=content["bank_account"])
        links += answer.links

        wait = {} if self.name == "given_up" else {"wait_seconds": 30}
        content, answer = await self.write("verify_identity", "start", **of_customer, **script["start"], **wait)
        expect("verification" in content, f"{self.name}: {content}")
        self.names[content["verification"]["id"]] = "VERIFICATION"
        if self.name == "slow":
            self.client.check_wait(answer)
        links += answer.links
        of_verification = {**of_customer, "verification_id": content["verification"]["id"]}
        if self.name == "given_up":
            expect(content["hint"], f"a pending verification without a hint: {content}")
            await self.client.give_up("verify_identity", {"action": "get", **of_verification, "wait_seconds": 60})
        read, _ = await self.read("verify_identity", "get", **of_verification)
        expect(read["verification"] == content["verification"], f"{self.name}: {read} is not {content}")
        self.know(verification=read["verification"])
        links += await self.look_at_dossier()
        self.know(links=links)

    async def look_at_dossier(self):
        """The same dossier by the tool and by the resource, as JSON and in words."""
        content, answer = await self.read("verify_identity", "dossier", customer_id=self.customer_id)
        dossier = content["dossier"]
        on_file, _ = await self.read("manage_customers", "get", customer_id=self.customer_id)
        expect(dossier["customer"] == on_file["customer"], f"{self.name}: {dossier['customer']} is not {on_file}")
        contents = await self.client.resource(DOSSIER.format(self.customer_id))
        expect(set(contents) == {"text/markdown", "application/json"}, f"the dossier is {set(contents)}")
        without_times = [TIME.sub("TIME", text) for text in (contents["application/json"], json.dumps(content))]
        expect(json.loads(without_times[0]) == json.loads(without_times[1]), f"{without_times} differ")
        markdown = contents["text/markdown"]
        for finding in dossier["contradictions"] + dossier["gaps"]:
            expect(f"`{finding['code']}`" in markdown, f"{finding} is not in {markdown}")
        for record in [dossier["customer"], *dossier["bank_accounts"], *dossier["verifications"]]:
            for value in record.values():
                shown = value if isinstance(value, str) else json.dumps(value)
                expect(f"`{shown}`" in markdown, f"{shown} is not in {markdown}")
        expect(dossier["not_checked"] in markdown, f"what was not checked is not in {markdown}")
        self.know(
            contradictions=[each["code"] for each in dossier["contradictions"]],
            gaps=[each["code"] for each in dossier["gaps"]],
            names=[
                [each["holder_name"], each["customer_name"], each["result"]] for each in dossier["name_comparisons"]
            ],
            sources=[each["operation"] for each in dossier["sources"]],
            accounts=[[each["iban"], each["holder_name"], each["verified"]] for each in dossier["bank_accounts"]],
            verifications=[[each["id"], each["status"], each.get("match_score")] for each in dossier["verifications"]],
        )
        return list(answer.links)

    async def refuse(self, said):
        """The person says no, or dismisses the question: nothing is sent, and what they are asked afresh goes on."""
        person = {**TABLE["acts"][self.name]["customer"], "external_id": self.reference}
        customer = await self.refused("manage_customers", "create", said, **person)
        found = (await self.read("manage_customers", "list", external_id=self.reference))[0]["customers"]
        await self.register()
        of_customer = {"customer_id": self.customer_id}
        start = await self.refused(
            "verify_identity", "start", said, **of_customer, **TABLE["acts"][self.name]["start"], wait_seconds=30
        )
        started = (await self.read("verify_identity", "list", **of_customer))[0]["verifications"]
        self.know(create=customer, found=found, start=start, started=started)

    async def leave(self):
        """The client gives up while its person still looks at the question: it is taken back, nothing is sent."""
        person = {**TABLE["acts"][self.name]["customer"], "external_id": self.reference}
        await self.client.leave("manage_customers", {"action": "create", **person})
        found = (await self.read("manage_customers", "list", external_id=self.reference))[0]["customers"]
        await self.register()
        self.know(found=found)


async def look_around(client):
    """Prompts, and the completion of what they ask for."""
    prompts = await client.prompts()
    expect(prompts == TABLE["prompts"], f"prompts are {prompts}")
    text = await client.prompt("kyc_check", {"customer_id": "sim_cus_charles"})
    expect('customer_id: "sim_cus_charles"' in text and "`verify_identity dossier`" in text, f"kyc_check says {text}")
    completed = await client.complete("kyc_check", "customer_id", "sim_cus_ch")
    expect(completed == ["sim_cus_charles"], f"completed with {completed}")


def way(client, act):
    """How this client plays the act, or None where it cannot."""
    said = {"declined": "decline", "dismissed": "cancel"}.get(act.name)
    if said:
        return act.refuse(said) if client.can_say(said) else None
    if act.name == "left":
        return act.leave() if client.can_be_left else None
    return act.check()


async def play(client):
    """Plays every act that this client can play, and compares what is known at the end with the table."""
    await look_around(client)
    for name, script in TABLE["acts"].items():
        act = Act(client, name)
        played = way(client, act)
        if not played:
            continue
        await played
        facts = (TABLE["known_after_every_check"] if "account" in script else {}) | script["facts"]
        known = facts.keys() | act.facts.keys()
        wrong = {key: act.facts.get(key) for key in known if act.facts.get(key) != facts.get(key)}
        expect(not wrong, f"{name}: not in the table of facts: {json.dumps(wrong, indent=1, ensure_ascii=False)}")
