"""Python SDK 2.x through an authorization server: `python_2.py agent|reader|person FACTS`.

FACTS is JSON: where the MCP server and the authorization server are, and the clients' credentials. `agent` and `reader`
have credentials of their own; the person's client registers itself, and the browser that it opens is played here.
"""

import asyncio
import json
import sys
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urljoin, urlparse
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, ProxyHandler, Request, build_opener

from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import OAuthClientMetadata

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import story  # noqa: E402

CALLBACK = "http://127.0.0.1:1/callback"  # nobody listens there: the browser stops before it
MOST_REDIRECTS = 10


class Storage:
    """What a client keeps between its runs; here for one."""

    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Stay(HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """Follows redirects with its cookies until it is sent back to the client."""

    def __init__(self):
        self.opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()), Stay())
        self.came_back = None

    async def go(self, url):
        self.came_back = await asyncio.to_thread(self.follow, url)

    def follow(self, url):
        for _ in range(MOST_REDIRECTS):
            if url.startswith(CALLBACK):
                return {name: values[0] for name, values in parse_qs(urlparse(url).query).items()}
            try:
                page = self.opener.open(Request(url))
                raise AssertionError(f"a page instead of a way on: {page.read()[:300]}")
            except HTTPError as answer:
                story.expect(answer.code in (302, 303), f"status {answer.code}: {answer.read()[:300]}")
                url = urljoin(url, answer.headers["location"])
        raise AssertionError("sent round in circles")

    async def callback(self):
        found = self.came_back
        return AuthorizationCodeResult(code=found["code"], state=found["state"], iss=found.get("iss"))


def provider(who, facts):
    if who == "person":
        browser = Browser()
        metadata = OAuthClientMetadata(client_name="interop", redirect_uris=[CALLBACK])
        return OAuthClientProvider(facts["url"], metadata, Storage(), browser.go, browser.callback)
    client = facts["clients"][who]
    return ClientCredentialsOAuthProvider(
        facts["url"], Storage(), client["id"], client["secret"], issuer=facts["issuer"]
    )


async def main(who, facts):
    auth = provider(who, facts)
    async with create_mcp_http_client(auth=auth) as http:
        async with Client(streamable_http_client(facts["url"], http_client=http)) as client:

            async def call(tool, arguments):
                result = await client.call_tool(tool, arguments)
                return story.Answer(bool(result.is_error), result.structured_content, result.content[0].text)

            tools = [tool.name for tool in (await client.list_tools()).tools]
            if who != "reader":
                story.check_tools(tools)
                await story.play(call)
                return
            listed = story.check_answer(await call("manage_customers", {"action": "list"}), "list")
            story.expect(listed["customers"], f"listed {listed}")
            person = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com"}
            refused = await call("manage_customers", {"action": "create", **person})
            error = story.check_answer(refused, "create")["error"]
            story.expect(refused.is_error and error["kind"] == "insufficient_scope", f"a write gives {error}")
            story.expect(error["scope"] == "customers:write", f"it needs {error}")
            story.expect(error["outcome"] == "not_applied", f"outcome of a refused write: {error}")


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
