"""LangChain's MCP adapters, without a model: `langchain_adapters.py stdio COMMAND...`, `... http|sse URL`."""

import asyncio
import sys

from langchain_core.messages.utils import convert_to_openai_messages
from langchain_mcp_adapters.client import MultiServerMCPClient

import story


def connection(transport, target):
    if transport == "stdio":
        return {"transport": "stdio", "command": target[0], "args": target[1:]}
    return {"transport": "sse" if transport == "sse" else "streamable_http", "url": target[0]}


async def main(transport, *target):
    client = MultiServerMCPClient({"fintecture": connection(transport, list(target))})
    tools = {tool.name: tool for tool in await client.get_tools()}
    story.check_tools(list(tools))

    async def call(tool, arguments):
        # As a graph would: with a call of the model's in hand, a message for the model comes back.
        message = await tools[tool].ainvoke({"type": "tool_call", "id": "1", "name": tool, "args": arguments})
        # As a model's integration would before it sends the message on: it refuses a link, which comes as a file.
        convert_to_openai_messages([message])
        structured = (message.artifact or {}).get("structured_content")
        return story.Answer(message.status == "error", structured, message.content[0]["text"])

    # Each invocation is a session of its own, and over stdio a server of its own: no story, one call.
    listed = story.check_answer(await call("manage_customers", {"action": "list"}), "list")
    story.expect("sim_cus_ada" in [customer["id"] for customer in listed["customers"]], f"customers are {listed}")
    refused = await call("manage_customers", {"action": "get"})
    story.expect(refused.is_error and "invalid_input" in refused.text, f"a missing argument gives {refused}")


asyncio.run(main(*sys.argv[1:]))
