"""A server that speaks OpenAI's chat completions on the loopback interface, as badly as a test asks it to.

Nothing here knows tinysmith: what a test reads from it is what was on the wire.
"""

import asyncio
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from attrs import frozen

POLL_S = 0.02


@frozen
class Seen:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    at: float

    @property
    def auth(self) -> str | None:
        return self.headers.get("authorization")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # unbuffered writes cost 45 ms a reply (Nagle against delayed acknowledgement)
    disable_nagle_algorithm = True
    server: "Server"

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        raw = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen("POST", self.path, headers, json.loads(raw or b"null"), time.monotonic())
        self.server.answer(seen)(self, seen)

    def do_GET(self) -> None:
        self.do_POST()

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:  # bytes are left for a client that is gone
            self.rfile.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that the base class has
        pass

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, status: int, data: Any, headers: Mapping[str, str] | None = None) -> None:
        self.send(status, json.dumps(data).encode(), headers)

    def has_hung_up(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True


Answer: TypeAlias = Callable[[Handler, Seen], None]


class Server(ThreadingHTTPServer):
    """Answers with its script, one line a request, and with `rest` when that is over."""

    daemon_threads = True
    request_queue_size = 2048  # the default of 5 made 400 clients wait for minutes

    def __init__(self, script: tuple["Answer", ...], rest: "Answer") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[Seen] = []
        self.hung_up = threading.Event()
        self.closing = threading.Event()
        self._script = list(script)
        self._rest = rest
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def auth(self) -> list[str | None]:
        return [seen.auth for seen in self.seen]

    @property
    def embedded(self) -> list[list[str]]:
        """The texts of each request for embeddings."""
        return [seen.body["input"] for seen in self.seen]

    @property
    def waits(self) -> list[float]:
        """Seconds between one request and the next."""
        return [late.at - early.at for early, late in zip(self.seen, self.seen[1:], strict=False)]

    def answer(self, seen: Seen) -> "Answer":
        with self._lock:
            self.seen.append(seen)
            return self._script.pop(0) if self._script else self._rest

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what many a test wants."""

    def hang_up_all(self) -> None:
        """Ends the connections that clients keep for later, so that no thread outlives its test."""
        with self._lock:
            for request in self._open:
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


# Answers -------------------------------------------------------------------------------------------


def completion(text: str | None = "hello", **over: Any) -> dict[str, Any]:
    """A good answer's body. Groq's part of litellm insists on `service_tier`."""
    message = {"role": "assistant", "content": text, **over.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": over.pop("finish", "stop")}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "served",
        "choices": [choice],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
        "service_tier": "on_demand",
        **over,
    }


def ok(text: str | None = "hello", **over: Any) -> Answer:
    body = completion(text, **over)
    return lambda handler, _: handler.send_json(200, body)


def raw(body: bytes, *, code: int = 200, kind: str = "application/json") -> Answer:
    return lambda handler, _: handler.send(code, body, {"content-type": kind})


def status(code: int, message: str = "went wrong", *, headers: Mapping[str, str] | None = None) -> Answer:
    body = {"error": {"message": message, "type": "test", "param": None, "code": None}}
    return lambda handler, _: handler.send_json(code, body, headers)


def no_choices() -> Answer:
    return ok(choices=[])


def empty() -> Answer:
    return raw(b"")


def malformed() -> Answer:
    return raw(b'{"id": "chatcmpl-1", "choices": [')


def html() -> Answer:
    return raw(b"<html><body>Bad gateway</body></html>", kind="text/html")


def overflow(wording: str) -> Answer:
    """A prompt that is too long, in the words of `openai` or of `vllm`."""
    bodies: dict[str, dict[str, Any]] = {
        "openai": {
            "error": {
                "message": "This model's maximum context length is 8192 tokens. However, your messages "
                "resulted in 9000 tokens. Please reduce the length of the messages.",
                "type": "invalid_request_error",
                "param": "messages",
                "code": "context_length_exceeded",
            }
        },
        "vllm": {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens. However, you requested 5000 "
            "tokens (4900 in the messages, 100 in the completion). Please reduce the length of the "
            "messages or completion.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    }
    return lambda handler, _: handler.send_json(400, bodies[wording])


def echo_key(code: int = 401) -> Answer:
    """Repeats the key in its words and in a header, as careless gateways do."""

    def answer(handler: Handler, seen: Seen) -> None:
        status(code, f"Incorrect header: {seen.auth}", headers={"x-seen": str(seen.auth)})(handler, seen)

    return answer


def echo_prompt(code: int = 400) -> Answer:
    """Repeats the whole prompt in its words."""

    def answer(handler: Handler, seen: Seen) -> None:
        status(code, f"Cannot answer: {seen.body['messages'][-1]['content']}")(handler, seen)

    return answer


def hang_up() -> Answer:
    """Ends the connection without a word."""

    def answer(handler: Handler, _: Seen) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    return answer


def stall() -> Answer:
    """Never answers; sees whether the client hangs up."""

    def answer(handler: Handler, _: Seen) -> None:
        handler.close_connection = True
        while not handler.server.closing.wait(POLL_S):
            if handler.has_hung_up():
                handler.server.hung_up.set()
                return

    return answer


def drip() -> Answer:
    """Sends a byte of an endless body every now and then, so that no time-out between bytes ever ends it."""

    def answer(handler: Handler, _: Seen) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", "1000000")
        handler.end_headers()
        while not handler.server.closing.wait(POLL_S):
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                handler.server.hung_up.set()
                return

    return answer


@contextmanager
def serving(*script: Answer, rest: Answer | None = None) -> Iterator[Server]:
    """A server that is up inside the block."""
    server = Server(script, rest or ok())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.hang_up_all()
        server.server_close()


def refused_base_url() -> str:
    """Where nothing listens: a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


DOORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "ask": lambda model, request: model.ask(request),
    "aask": lambda model, request: asyncio.run(model.aask(request)),
}
"""The two ways to ask a model."""

SERVED = ("openai/gpt-4o-mini", "mistral/mistral-small-latest", "groq/openai/gpt-oss-20b", "hosted_vllm/own")
"""A model of each kind that the loopback server can stand in for."""
