"""Python SDK 2.x: `python_2.py stdio COMMAND...`, `python_2.py http|sse URL`."""

import asyncio
import sys

from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import PromptReference

import story


def connect(transport, target):
    if transport == "stdio":
        return stdio_client(StdioServerParameters(command=target[0], args=target[1:]))
    return sse_client(target[0]) if transport == "sse" else streamable_http_client(target[0])


async def look_around(client):
    """What stands beside the tools: prompts, completion, resources, and the links to these."""
    prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
    story.expect("kyc_check" in prompts, f"prompts are {prompts}")
    prompt = await client.get_prompt("kyc_check", {"customer_id": "sim_cus_ada"})
    story.expect('customer_id: "sim_cus_ada"' in prompt.messages[0].content.text, f"the prompt says {prompt}")
    typed = {"name": "customer_id", "value": "sim_cus_a"}
    found = (await client.complete(PromptReference(type="ref/prompt", name="kyc_check"), typed)).completion
    story.expect(found.values == ["sim_cus_ada"], f"completed with {found}")
    templates = [template.uri_template for template in (await client.list_resource_templates()).resource_templates]
    story.expect("fintecture://customers/{customer_id}" in templates, f"templates are {templates}")
    files = (await client.list_resources()).resources
    for uri in [str(file.uri) for file in files] + ["fintecture://customers/sim_cus_ada"]:
        contents = (await client.read_resource(uri)).contents
        story.expect(contents[0].text, f"{uri} is {contents}")


async def main(transport, *target):
    async with Client(connect(transport, list(target))) as client:

        async def call(tool, arguments):
            result = await client.call_tool(tool, arguments)
            return story.Answer(bool(result.is_error), result.structured_content, result.content[0].text)

        story.check_tools([tool.name for tool in (await client.list_tools()).tools])
        await look_around(client)
        await story.play(call)


asyncio.run(main(*sys.argv[1:]))
