"""Python SDK 1.x: `python_1.py stdio COMMAND...`, `python_1.py http|sse URL`."""

import asyncio
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

import story


def connect(transport, target):
    if transport == "stdio":
        return stdio_client(StdioServerParameters(command=target[0], args=target[1:]))
    return sse_client(target[0]) if transport == "sse" else streamable_http_client(target[0])


async def main(transport, *target):
    # Streamable HTTP gives a third thing beside the two streams: its session id.
    async with connect(transport, list(target)) as (read, write, *_), ClientSession(read, write) as session:
        await session.initialize()

        async def call(tool, arguments):
            result = await session.call_tool(tool, arguments)
            return story.Answer(result.isError, result.structuredContent, result.content[0].text)

        story.check_tools([tool.name for tool in (await session.list_tools()).tools])
        await story.play(call)


asyncio.run(main(*sys.argv[1:]))
