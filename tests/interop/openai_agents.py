"""OpenAI Agents, without a model: `openai_agents.py stdio COMMAND...`, `openai_agents.py http|sse URL`."""

import asyncio
import sys

from agents.mcp import MCPServerSse, MCPServerStdio, MCPServerStreamableHttp

import story


def connect(transport, target):
    if transport == "stdio":
        return MCPServerStdio(params={"command": target[0], "args": target[1:]})
    return (MCPServerSse if transport == "sse" else MCPServerStreamableHttp)(params={"url": target[0]})


async def main(transport, *target):
    async with connect(transport, list(target)) as server:

        async def call(tool, arguments):
            # By the names of the wire: the library's own differ between the SDKs that it stands on.
            result = (await server.call_tool(tool, arguments)).model_dump(by_alias=True)
            return story.Answer(bool(result["isError"]), result["structuredContent"], result["content"][0]["text"])

        story.check_tools([tool.name for tool in await server.list_tools()])
        await story.play(call)


asyncio.run(main(*sys.argv[1:]))
