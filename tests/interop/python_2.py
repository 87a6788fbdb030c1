"""Python SDK 2.x: `python_2.py stdio COMMAND...`, `python_2.py http|sse URL`."""

import asyncio
import sys

from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

import story


def connect(transport, target):
    if transport == "stdio":
        return stdio_client(StdioServerParameters(command=target[0], args=target[1:]))
    return sse_client(target[0]) if transport == "sse" else streamable_http_client(target[0])


async def main(transport, *target):
    async with Client(connect(transport, list(target))) as client:

        async def call(tool, arguments):
            result = await client.call_tool(tool, arguments)
            return story.Answer(bool(result.is_error), result.structured_content, result.content[0].text)

        story.check_tools([tool.name for tool in (await client.list_tools()).tools])
        await story.play(call)


asyncio.run(main(*sys.argv[1:]))
