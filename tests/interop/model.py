"""A model that is none: it speaks OpenAI's API on a port of its own, and always plays the same part.

To whoever asks for the first time it answers with a call of `verify_identity`, as a model does that was given our tools;
to whoever comes with what the tool said, with a sentence about that.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from story import TOOLS

CALL = {
    "action": "start",
    "customer_id": "sim_cus_ada",
    "provider_id": "sim-slow",
    "expected_name": "Ada Byron",
    "wait_seconds": 30,
}


def text_of(content):
    """What a message says, however it is written."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [])


def sentence(told):
    """What the model makes of the tool's result."""
    try:
        # Some clients put the links of a result behind it.
        verification = json.JSONDecoder().raw_decode(told)[0]["verification"]
        return f"The tool says: {verification['status']}, with a match score of {verification['match_score']}."
    except (ValueError, KeyError, TypeError):
        return f"The tool was of no use: {told}"


class Responses:
    """POST /v1/responses"""

    @staticmethod
    def told(request):
        items = [item for item in request["input"] if isinstance(item, dict)]
        said = [item["output"] for item in items if item.get("type") == "function_call_output"]
        return text_of(said[-1]) if said else None

    @staticmethod
    def tools(request):
        return {tool["name"] for tool in request.get("tools", [])}

    @staticmethod
    def answer(told):
        if told is None:
            call = {"name": "verify_identity", "arguments": json.dumps(CALL), "call_id": "call_1"}
            output = {"type": "function_call", "id": "fc_1", "status": "completed", **call}
        else:
            part = {"type": "output_text", "text": sentence(told), "annotations": []}
            output = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        about = {"id": "resp_1", "object": "response", "created_at": 0, "model": "none", "status": "completed"}
        return about | {"output": [output], "usage": usage, "tools": [], "tool_choice": "auto", "parallel_tool_calls": False}


class Completions:
    """POST /v1/chat/completions"""

    @staticmethod
    def told(request):
        said = [message["content"] for message in request["messages"] if message["role"] == "tool"]
        return text_of(said[-1]) if said else None

    @staticmethod
    def tools(request):
        return {tool["function"]["name"] for tool in request.get("tools", [])}

    @staticmethod
    def answer(told):
        if told is None:
            call = {"name": "verify_identity", "arguments": json.dumps(CALL)}
            message = {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}
        else:
            message = {"content": sentence(told)}
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        about = {"id": "cmpl_1", "object": "chat.completion", "created": 0, "model": "none"}
        return about | {"choices": [choice], "usage": usage}


WAYS = {"/v1/responses": Responses, "/v1/chat/completions": Completions}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        way = WAYS.get(self.path)
        if way and way.tools(request) == TOOLS:
            status, body = 200, way.answer(way.told(request))
        else:
            error = {"message": f"no tools of ours came to {self.path}", "type": "invalid_request_error"}
            status, body = 400, {"error": error}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def start():
    """Starts it; returns the server, to be shut down, and the base URL for OPENAI_BASE_URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/v1"
