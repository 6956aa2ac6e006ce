"""MCP servers for the tests: one written with the SDK, and raw ones that misbehave as a test asks them to."""

import sys
import time
from pathlib import Path
from typing import Any

from tinysmith.mcp import McpServer

WITH_SDK = '''
import os, subprocess, sys
from mcp.server.mcpserver import Image, MCPServer

app = MCPServer("demo")


@app.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@app.tool()
def divide(a: int, b: int) -> float:
    """Divides."""
    return a / b


@app.tool()
def environment() -> str:
    """Tells what the process was started with."""
    return open("/proc/self/environ").read()


@app.tool()
def picture() -> Image:
    """Draws."""
    return Image(data=b"12345", format="png")


print("a greeting, where only messages belong", flush=True)
print("a word to \\x1b[31mstderr", file=sys.stderr)
app.run()
'''

PRELUDE = """
import json, os, sys, time

def say(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\\n")
    sys.stdout.flush()

def hear():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)

def tool(name, **more):
    return {"name": name, "inputSchema": {"type": "object"}, **more}

def text(words):
    return {"content": [{"type": "text", "text": words}]}

def answer(request, result):
    say(id=request["id"], result=result)

ABOUT = {"name": "raw", "version": "1"}
INFO = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": ABOUT}

def greet():
    answer(hear(), INFO)
    hear()  # that it is initialised

def begin(*tools):
    greet()
    answer(hear(), {"tools": list(tools)})
"""


def raw(body: str, **options: Any) -> McpServer:
    """A server that is a script of a few lines, after those above."""
    script = f"{PRELUDE}\n{body}"
    return McpServer(sys.executable, "-I", "-S", "-c", script, **options)


def with_sdk(folder: Path, **options: Any) -> McpServer:
    """The server that is written with the SDK."""
    script = folder / "server.py"
    script.write_text(WITH_SDK, encoding="utf-8")
    return McpServer(sys.executable, str(script), **options)


def is_alive(process: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def are_gone(*processes: int, within_s: float = 10.0) -> bool:
    """Whether all of them are gone, soon."""
    deadline = time.monotonic() + within_s
    while any(map(is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(map(is_alive, processes))


def open_files() -> int:
    """How many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
