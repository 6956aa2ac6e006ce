"""A model on your own machine: vLLM, llama.cpp, Ollama, or whatever else speaks OpenAI's chat completions.

    python examples/self_hosted.py
    python examples/self_hosted.py --base-url http://localhost:8000/v1 --model hosted_vllm/my-model    # vLLM
    python examples/self_hosted.py --base-url http://localhost:8080/v1 --model hosted_vllm/my-model    # llama.cpp
    python examples/self_hosted.py --base-url http://localhost:11434/v1 --model hosted_vllm/llama3.1    # Ollama
    python examples/self_hosted.py --model groq/llama-3.1-8b-instant     # not your own; with GROQ_API_KEY set

Without --model, a little server in this file plays the model, so that all but the model is real: the client, the
HTTP, the counting. No key is needed; if your server wants one, see `api_key_env` in docs/running.md. LiteLLM, the
client, takes some seconds to import.
"""

import argparse
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from machines import SingleAgent
from machines.single_agent import Challenge
from tinysmith import LLM, Limits, Step, run
from tinysmith.environments import SqlEnvironment

TASK = "idle-boats"
REPLIES = (
    "Command: DESCRIBE sailings",
    "Command: SELECT name FROM boats WHERE boat_id NOT IN (SELECT boat_id FROM sailings)",
    "Command: submit",
)


class Handler(BaseHTTPRequestHandler):
    """Plays the model: it says what comes next after the commands that the prompt shows."""

    def do_POST(self) -> None:
        """Answers one question."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print(f"   (the server: POST {self.path}, model {asked['model']!r})")
        prompt = asked["messages"][-1]["content"]
        text = REPLIES[min(prompt.count("\nOutput: "), len(REPLIES) - 1)]
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split())}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": asked["model"]}
        body = json.dumps({**answer, "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that the base class has
        """Says nothing; `do_POST` has."""


@contextmanager
def serving() -> Iterator[str]:
    """The base URL of a server that is up inside the block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()


def show(step: Step[Challenge]) -> None:
    """Prints where the run went and why, and what was said or seen."""
    print(f"{step.number:>2} {step.node} {step.way}: {step.said()}")


def model_at(base_url: str | None, name: str) -> LLM:
    """The model. A long prompt takes a small machine its time, and what runs at home costs nothing."""
    price = None if base_url is None else 0.0
    return LLM(name, base_url=base_url, timeout_s=300, input_cost_per_token=price, output_cost_per_token=price)


def main() -> None:
    """Runs a single agent on a task of the bundled database, and prints how it ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", help="the server, such as http://localhost:8000/v1")
    parser.add_argument("--model", help="hosted_vllm/ and the name that the server knows, or provider/model")
    arguments = parser.parse_args()
    if arguments.base_url and not arguments.model:
        parser.error("--base-url needs --model beside it")

    environment = SqlEnvironment.demo()
    task = environment.tasks[TASK]
    with nullcontext(arguments.base_url) if arguments.model else serving() as base_url:
        model = model_at(base_url, arguments.model or "hosted_vllm/own")
        print(f"{model}\n{task.query}\n")
        limits = Limits(max_asks=20)
        result = run(
            SingleAgent(), model=model, environment=environment, task=task, limits=limits, listeners=[show]
        )
    usage = result.usage.total
    print(f"\nended as {result.outcome} with {result.board.output}")
    print(f"{usage.input_tokens} tokens read, {usage.output_tokens} written, cost in US dollars: {usage.cost_usd}")
    if result.error:
        sys.exit(result.error.message)


if __name__ == "__main__":
    main()
