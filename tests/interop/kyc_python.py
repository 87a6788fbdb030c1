"""The KYC story by the Python SDK 2.x: `kyc_python.py VARIANT stdio COMMAND...`, `kyc_python.py VARIANT http|sse URL`.

What a variant can do stands in `VARIANTS`; the server's approvals are `always` where it goes to a page.
"""

import asyncio
import os
import sys
from dataclasses import dataclass, field

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitRequestURLParams, ElicitResult, Implementation, PromptReference

import kyc_story
from kyc_person import Person
from kyc_tasks import TaskCancelled, Tasks
from story import Answer, expect

MODERN, LEGACY = "2026-07-28", "2025-11-25"
# What the client can do, and the revision that it is to speak.
VARIANTS = {
    "modern": (MODERN, {"asks", "progress"}),
    "tasks": (MODERN, {"asks", "progress", "tasks"}),
    "legacy": (LEGACY, {"asks", "progress"}),
    "plain": (MODERN, set()),
    "page": (LEGACY, {"goes_to_page"}),
    "led": (MODERN, {"asks", "progress", "is_led"}),
    "led-legacy": (LEGACY, {"asks", "progress", "is_led"}),
}
SETTLED = 1.5  # seconds after which a call that tells nothing is surely under way
TAKEN_BACK_WITHIN = 10  # seconds; the server's word, or the client's own end of the call


@dataclass
class Told(Answer):
    """An answer, with what came on the way to it."""

    links: list[str] = field(default_factory=list)
    progress: list[tuple[float, float | None]] = field(default_factory=list)
    tasks: int = 0


class Player:
    """One connected client, as the story sees it."""

    def __init__(self, can):
        self.person = Person(kyc_story.TABLE["approval_code"])
        self.can, self.tasks = can, Tasks()
        self.goes_to_page = "goes_to_page" in can
        self.is_asked = bool(can & {"asks", "goes_to_page"})
        self.can_be_left = "asks" in can
        self.client = self.leaving = None

    def can_say(self, said):
        return "asks" in self.can or (self.goes_to_page and said == "decline")

    def options(self):
        options = {"client_info": Implementation(name="interop", version="1")}
        if "asks" in self.can:
            options["elicitation_callback"] = self.ask
        if "tasks" in self.can:
            options["extensions"] = [self.tasks]
        return options

    async def ask(self, _, params):
        if self.leaving:
            return await self.leaving(params)
        if isinstance(params, ElicitRequestURLParams):
            expect(self.person.says == "cancel" or "is_led" in self.can, f"led to {params.url}")
            if self.person.says == "cancel":
                self.person.shown.append("")  # dismissed unseen
                return ElicitResult(action="cancel")
            await self.person.decide_on(params.url)
            return ElicitResult(action="accept")
        expect("is_led" not in self.can, f"a form where a page is due: {params.message}")
        self.person.shown.append(params.message)
        accepted = {"confirm": True} if self.person.says == "accept" else None
        return ElicitResult(action=self.person.says, content=accepted)

    async def call(self, tool, arguments, on_progress=None):
        progress = []

        async def keep(done, total, _message):
            progress.append((done, total))
            if on_progress:
                on_progress(progress)

        before = self.tasks.count
        callback = keep if "progress" in self.can else None
        result = await self.client.call_tool(tool, arguments, progress_callback=callback)
        text, *links = result.content
        links = [str(link.uri) for link in links]
        came = self.tasks.count - before
        return Told(bool(result.is_error), result.structured_content, text.text, links, progress, came)

    def check_wait(self, answer):
        """A wait comes as a task, or tells how far it is; never both."""
        if "tasks" in self.can:
            expect(answer.tasks == 1, "the wait did not come as a task")
        elif "progress" in self.can:
            self.check_progress(answer.progress)
        else:
            expect(answer.progress == [] and answer.tasks == 0, f"unasked: {answer}")

    @staticmethod
    def check_progress(progress):
        done = [each for each, _ in progress]
        expect(done and done == sorted(set(done)), f"progress is {progress}")
        expect(all(total and done <= total for done, total in progress), f"progress is {progress}")

    async def give_up(self, tool, arguments):
        """Cancels a call that is under way, by this client's own means."""
        if "tasks" in self.can:
            self.tasks.gives_up = True
            try:
                answer = await self.call(tool, arguments)
                raise AssertionError(f"a cancelled task has a result: {answer}")
            except TaskCancelled:
                self.tasks.gives_up = False
            return
        told = []

        def hear(progress):
            told[:] = progress
            if len(told) > 1:
                scope.cancel()

        with anyio.CancelScope() as scope:
            if "progress" not in self.can:
                scope.deadline = anyio.current_time() + SETTLED
            await self.call(tool, arguments, on_progress=hear)
        if "progress" in self.can:
            self.check_progress(told)
        expect(scope.cancelled_caught, "the wait ended before it was given up")

    async def leave(self, tool, arguments):
        """Gives a call up while the person still has its question before them, who is then rid of it."""
        rid = anyio.Event()
        with anyio.CancelScope() as scope:

            async def leave(_):
                scope.cancel()
                try:
                    await anyio.sleep_forever()
                finally:
                    rid.set()

            self.leaving = leave
            await self.call(tool, arguments)
        self.leaving = None
        expect(scope.cancelled_caught, "the call ended before it was given up")
        with anyio.fail_after(TAKEN_BACK_WITHIN):
            await rid.wait()

    async def resource(self, uri):
        contents = (await self.client.read_resource(uri)).contents
        return {each.mime_type: each.text for each in contents}

    async def prompts(self):
        return [prompt.name for prompt in (await self.client.list_prompts()).prompts]

    async def prompt(self, name, arguments):
        return (await self.client.get_prompt(name, arguments)).messages[0].content.text

    async def complete(self, prompt, argument, value):
        reference = PromptReference(type="ref/prompt", name=prompt)
        return (await self.client.complete(reference, {"name": argument, "value": value})).completion.values


def connect(transport, target):
    if transport == "stdio":
        return stdio_client(StdioServerParameters(command=target[0], args=target[1:], env=dict(os.environ)))
    return sse_client(target[0]) if transport == "sse" else streamable_http_client(target[0])


async def main(variant, transport, *target):
    revision, can = VARIANTS[variant]
    player = Player(can)
    mode = "auto" if revision == MODERN else "legacy"
    async with Client(connect(transport, list(target)), mode=mode, **player.options()) as client:
        expect(client.protocol_version == revision, f"the revision is {client.protocol_version}")
        player.client = client
        await kyc_story.play(player)


asyncio.run(main(*sys.argv[1:]))
