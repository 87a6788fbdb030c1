"""MCP over HTTP as its eras write it, with nothing but the standard library: so that a test says itself what goes over
the wire, when a connection opens, and what it does when one breaks."""

import asyncio
import contextlib
import json

STATELESS = "2026-07-28"
SESSIONS = ["2025-11-25", "2025-06-18", "2025-03-26"]
LEGACY = "2024-11-05"
ERAS = [STATELESS, *SESSIONS, LEGACY]


class Broken(Exception):
    """The transport failed: nobody knows whether the call went through. Connect again."""


class Refused(Exception):
    """An HTTP status instead of an answer."""

    def __init__(self, status, headers, body):
        super().__init__(f"HTTP {status}: {body[:200]!r}")
        self.status, self.headers, self.body = status, headers, body


class Connection:
    """One HTTP/1.1 connection at a time, opened when it is needed."""

    def __init__(self, host, port, source=None):
        self.address, self.source = (host, port), source
        self.reader = self.writer = None

    async def send(self, method, path, headers, body=b""):
        """Sends a request; returns status and headers of the answer, whose body is still to be read."""
        if self.writer is None:
            source = (self.source, 0) if self.source else None
            self.reader, self.writer = await asyncio.open_connection(*self.address, local_addr=source, limit=2**22)
        host = f"{self.address[0]}:{self.address[1]}"
        lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
        if body:
            lines.append(f"content-length: {len(body)}")
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        answered = [line.split(":", 1) for line in head[1:] if line]
        return int(head[0].split()[1]), {name.lower(): value.strip() for name, value in answered}

    async def chunks(self, headers):
        """The body of an answer, as it comes."""
        if "content-length" in headers:
            yield await self.reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            while size := int((await self.reader.readuntil(b"\r\n")).strip(), 16):
                yield await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
        elif headers.get("connection") == "close":
            yield await self.reader.read()

    async def request(self, method, path, headers, body=b""):
        """A whole answer."""
        with breaking(self):
            status, answered = await self.send(method, path, headers, body)
            whole = b"".join([chunk async for chunk in self.chunks(answered)])
        if answered.get("connection") == "close":
            self.close()
        return status, answered, whole

    async def events(self, headers):
        """The events of a stream: (name, data) each."""
        text = ""
        async for chunk in self.chunks(headers):
            text += chunk.decode()
            while "\n\n" in text.replace("\r\n", "\n"):
                event, text = text.replace("\r\n", "\n").split("\n\n", 1)
                fields = [line.split(":", 1) for line in event.split("\n") if ":" in line and line[0] != ":"]
                data = "\n".join(value.removeprefix(" ") for name, value in fields if name == "data")
                yield next((value.strip() for name, value in fields if name == "event"), "message"), data

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


@contextlib.contextmanager
def breaking(connection):
    try:
        yield
    except (OSError, EOFError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError) as error:
        connection.close()
        raise Broken(f"{type(error).__name__}: {error}") from error


class Client:
    """One MCP client of one era. `call` answers with a tool's structured result."""

    def __init__(self, era, host, port, token, name, source=None):
        self.era, self.token, self.name, self.next_id = era, token, name, 0
        self.connection = Connection(host, port, source)
        self.stream = Connection(host, port, source)
        self.session = self.endpoint = self.reading = None
        self.waiting = {}

    def headers(self, **more):
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        return headers | more

    def message(self, method, params):
        self.next_id += 1
        return {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}

    async def connect(self):
        """What its era needs before a call."""
        if self.era == STATELESS or self.session or self.endpoint:
            return
        about = {"protocolVersion": self.era, "capabilities": {}, "clientInfo": {"name": self.name, "version": "1"}}
        if self.era == LEGACY:
            await self.open_stream()
        _, headers = await self.exchange(self.message("initialize", about))
        self.session = headers.get("mcp-session-id")
        await self.notify({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def call(self, tool, arguments):
        """A tool's result. Broken or Refused where there is none."""
        await self.connect()
        answer, _ = await self.exchange(self.message("tools/call", {"name": tool, "arguments": arguments}))
        if "error" in answer:
            raise AssertionError(f"a protocol error: {answer['error']}")
        return answer["result"]["structuredContent"]

    async def exchange(self, message):
        """A request's answer, with the headers that it came with."""
        if self.era == LEGACY:
            future = self.waiting[message["id"]] = asyncio.get_running_loop().create_future()
            try:
                await self.notify(message)
                async with asyncio.timeout(90):
                    return await future, {}
            except TimeoutError as late:
                raise Broken("no event with the answer") from late
            finally:
                self.waiting.pop(message["id"], None)
        body, headers = message, self.headers()
        if self.era == STATELESS:
            meta = {
                "io.modelcontextprotocol/protocolVersion": STATELESS,
                "io.modelcontextprotocol/clientInfo": {"name": self.name, "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            }
            body = message | {"params": message["params"] | {"_meta": meta}}
            headers |= {"mcp-protocol-version": STATELESS, "mcp-method": message["method"]}
            headers |= {"mcp-name": message["params"]["name"]} if "name" in message["params"] else {}
        elif self.session:
            headers |= {"mcp-session-id": self.session, "mcp-protocol-version": self.era}
        status, answered, whole = await self.connection.request("POST", "/mcp", headers, json.dumps(body).encode())
        if status != 200:
            raise Refused(status, answered, whole)
        text = whole.decode()
        if answered.get("content-type", "").startswith("text/event-stream"):
            datas = [line[5:].strip() for line in text.replace("\r", "").split("\n") if line.startswith("data:")]
            answers = [answer for answer in (json.loads(data) for data in datas if data) if answer.get("id") == message["id"]]
            if not answers:
                raise Broken("the stream ended without the answer")
            return answers[0], answered
        answer = json.loads(text)
        assert answer.get("id") == message["id"], f"another call's answer: {text[:200]}"
        return answer, answered

    async def notify(self, message):
        path, headers = "/mcp", self.headers()
        if self.era == LEGACY:
            path = self.endpoint
        elif self.session:
            headers |= {"mcp-session-id": self.session, "mcp-protocol-version": self.era}
        status, answered, whole = await self.connection.request("POST", path, headers, json.dumps(message).encode())
        if status not in (200, 202):
            raise Refused(status, answered, whole)

    async def open_stream(self):
        """The stream of legacy SSE, read by a task until it ends."""
        with breaking(self.stream):
            status, headers = await self.stream.send("GET", "/sse", self.headers(accept="text/event-stream"))
            if status != 200:
                whole = b"".join([chunk async for chunk in self.stream.chunks(headers)])
                raise Refused(status, headers, whole)
            events = self.stream.events(headers)
            name, data = await anext(events, (None, None))
            if name != "endpoint":
                raise Broken("the stream did not begin with its endpoint")
        self.endpoint = data if data.startswith("/") else f"/{data}"
        self.reading = asyncio.create_task(self.read(events))

    async def read(self, events):
        try:
            async for _, data in events:
                answer = json.loads(data)
                if (future := self.waiting.get(answer.get("id"))) and not future.done():
                    future.set_result(answer)
        except (OSError, EOFError, asyncio.IncompleteReadError, ValueError, AttributeError):
            pass
        self.stream.close()
        self.endpoint = None
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(Broken("the stream ended"))

    def drop(self):
        """Forgets connections and session, as a client does that starts over."""
        self.connection.close()
        self.stream.close()
        if self.reading:
            self.reading.cancel()
        self.session = self.endpoint = self.reading = None

    async def end(self):
        """Says goodbye where its era can."""
        if self.session:
            headers = self.headers() | {"mcp-session-id": self.session, "mcp-protocol-version": self.era}
            with contextlib.suppress(Broken):
                await self.connection.request("DELETE", "/mcp", headers)
        self.drop()
