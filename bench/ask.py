"""One ask of ours over the bare `litellm` call, blocking and async, against a loopback server.

The server is another process. What LiteLLM itself costs is printed beside, so that nobody blames the wrong part.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from _measure import SHORT, bar

from tinysmith import LLM, Ask, Message

CALLS = 20 if SHORT else 60
ROUNDS = 5 if SHORT else 21
MODEL = "hosted_vllm/echo"
SERVER = """
import sys
from loopback import serving
with serving() as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""


def ask_litellm(url: str) -> Any:
    """The bare call, with the same arguments as ours."""
    import litellm  # noqa: PLC0415  # seconds, and only here

    message = [{"role": "user", "content": "go"}]
    return lambda door: door(litellm)(
        model=MODEL, messages=message, base_url=url, api_key="none", timeout=60, num_retries=0, max_retries=0
    )


async def ameasure(url: str) -> dict[str, list[float]]:
    """Microseconds of CPU and wall an ask, round by round, each door in turn."""
    model = LLM(MODEL, base_url=url)
    request = Ask((Message("user", "go"),))
    model.ask(request)
    await model.aask(request)
    bare = ask_litellm(url)
    measured: dict[str, list[float]] = {name: [] for name in ("litellm", "ours", "litellm async", "ours async")}
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(CALLS):
            bare(lambda litellm: litellm.completion)
        measured["litellm"].append((time.perf_counter() - begin) / CALLS * 1e6)
        begin = time.perf_counter()
        for _ in range(CALLS):
            model.ask(request)
        measured["ours"].append((time.perf_counter() - begin) / CALLS * 1e6)
        begin = time.perf_counter()
        for _ in range(CALLS):
            await bare(lambda litellm: litellm.acompletion)
        measured["litellm async"].append((time.perf_counter() - begin) / CALLS * 1e6)
        begin = time.perf_counter()
        for _ in range(CALLS):
            await model.aask(request)
        measured["ours async"].append((time.perf_counter() - begin) / CALLS * 1e6)
    return measured


def main() -> None:
    """Starts the server, measures, prints."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "tests")}
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as server:
        assert server.stdout is not None
        measured = asyncio.run(ameasure(server.stdout.readline().strip()))
        server.terminate()
    for name, values in measured.items():
        print(f"{name:14} {statistics.median(values):8.0f} µs an ask")
    for door in ("", " async"):
        pairs = list(zip(measured[f"ours{door}"], measured[f"litellm{door}"], strict=True))
        bar(f"ours over litellm{door}", statistics.median(ours - bare for ours, bare in pairs), 100, " µs")
        bar(f"ours over litellm{door}", statistics.median(ours / bare - 1 for ours, bare in pairs) * 100, 3, " %")


if __name__ == "__main__":
    main()
