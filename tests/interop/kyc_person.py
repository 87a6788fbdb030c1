"""A person at the other end: answers forms, and approves or declines on a page, in a browser with cookies."""

import asyncio
import html
import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from story import expect


class Person:
    """Says what `says` has, and keeps in `shown` what they were shown."""

    def __init__(self, code):
        self.code, self.says, self.shown = code, "accept", []

    async def decide_on(self, page):
        """Opens the page, shows to be a person with the code, reads it, and presses."""
        self.shown.append(await asyncio.to_thread(self._decide_on, page))

    def _decide_on(self, page):
        address = urllib.parse.urlsplit(page)
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        browser.addheaders = [("Origin", f"{address.scheme}://{address.netloc}"), ("Sec-Fetch-Site", "same-origin")]

        def look(path="", **form):
            sent = urllib.parse.urlencode(form).encode() if form else None
            with browser.open(page + path, sent, timeout=20) as answer:
                return html.unescape(answer.read().decode())

        bare = look()
        expect("Go on" in bare and "Approve:" not in bare, f"who shows nothing sees {bare}")
        write = look("/code", code=self.code)
        token = re.search(r'name="token" value="([^"]+)"', write)
        expect(token, f"who typed the code sees {write}")
        decided = look(token=token[1], decision={"accept": "approve", "decline": "decline"}[self.says])
        expect('name="token"' not in decided, f"after the press there is {decided}")
        return re.sub(r"<[^>]+>", "", write)
