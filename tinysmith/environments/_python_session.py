"""A Python interpreter that stays in a sandbox, and one that does many things and ends.

The program within is `_python_worker`. Whatever code does to it, closing what it writes on, ending it, or hanging
it, an answer is a whole one to this very request, or there is none.
"""

import base64
import json
import secrets
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import fields, frozen

from tinysmith._shown import encodable
from tinysmith.environments import _python_worker
from tinysmith.errors import EnvironmentLost
from tinysmith.sandbox import Executed, Sandbox, Session

Mode: TypeAlias = Literal["intercode", "strict", "exec", "eval"]

_PYTHON = ("/usr/bin/python3", "-I", "-S", "-c", Path(_python_worker.__file__).read_text(encoding="utf-8"))
# A pipe to an interpreter that has ended would end the shell; without its signal the shell can tell.
_START = f"coproc PY {{ exec {shlex.join(_PYTHON)} 2>/dev/null; }}; trap '' PIPE"
_ASK = 'printf "%s\\n" {} >&"${{PY[1]}}" && IFS= read -r size <&"${{PY[0]}}" && head -c "$size" <&"${{PY[0]}}"'


@frozen
class Request:
    """What an interpreter is asked to do; the modes are `_python_worker`'s."""

    mode: Mode
    code: str
    most_characters: int = 10_000

    def line(self, nonce: str) -> str:
        """How it is written."""
        request = {"mode": self.mode, "code": encodable(self.code), "most_characters": self.most_characters}
        return base64.b64encode(json.dumps({**request, "nonce": nonce}).encode()).decode()


@frozen
class Reply:
    """What came of a request.

    Attributes:
        text: The observation, of an action.
        is_ok: Whether nothing was raised.
        is_cut: Whether more was printed than asked for.
        output: What was printed, without the blanks around it.
        error: What was raised, as InterCode's server tells it.
        value: The canonical text of an expression's value; empty where it has none.
    """

    text: str = ""
    is_ok: bool = False
    is_cut: bool = False
    output: str = ""
    error: str = ""
    value: str = ""


@frozen
class Lost:
    """There is no answer, and the interpreter is gone.

    Attributes:
        why: What ended it, as the end of a sentence.
        is_timed_out: Whether the time limit did.
    """

    why: str
    is_timed_out: bool = False


class PythonSession:
    """An interpreter that stays; it has an answer to each request, or is lost and of no more use."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    async def open(cls, sandbox: Sandbox) -> "PythonSession":
        """Starts one.

        Raises:
            EnvironmentLost: There is no Python in the sandbox that works.
        """
        found = cls(await sandbox.aopen_session())
        await found._session.arun(_START)
        hello = await found.ask(Request("eval", "41 + 1"))
        if not isinstance(hello, Reply) or hello.value != _python_worker.canonical(42):
            await found.close()
            raise EnvironmentLost(f"There is no {_PYTHON[0]} of 3.10 or later in the sandbox; install one.")
        return found

    async def ask(self, request: Request) -> Reply | Lost:
        """Asks one thing.

        Raises:
            EnvironmentLost: The sandbox is dead.
        """
        nonce = secrets.token_hex(8)
        done = await self._session.arun(_ASK.format(request.line(nonce)))
        lines = done.text.split("\n")
        reply = None if _why(done) else _reply(lines[-1], nonce)
        return reply or Lost(_why(done) or "it ended", done.is_timed_out)

    async def close(self) -> None:
        """Ends it."""
        await self._session.aclose()


async def replies(
    sandbox: Sandbox, requests: Sequence[Request], *, before: Sequence[Request] = (), wall_s: float
) -> list[Reply | None]:
    """What one interpreter answers to some requests, None from where on it answers no more.

    What it is to do before them is not answered, so that it takes nothing of the sandbox's `output_bytes`. Code
    can read the requests and their nonces, and answer in the interpreter's place: a reply proves no more than
    that the code can say what is in it.

    Raises:
        EnvironmentLost: The sandbox is dead.
    """
    nonces = [secrets.token_hex(8) for _ in requests]
    lines = [f"{request.line('')}\n" for request in before]
    lines += [f"{request.line(nonce)}\n" for request, nonce in zip(requests, nonces, strict=True)]
    done = await sandbox.aexec(_PYTHON, stdin="".join(lines).encode(), cwd="/", wall_s=wall_s)
    left = done.stdout
    found: list[Reply | None] = []
    for nonce in nonces:
        size, _, left = left.partition(b"\n")
        length = int(size) if size.isdigit() and len(size) < 10 else 0
        text, left = left[:length], left[length:]
        found.append(_reply(text.decode(errors="replace"), nonce))
        left = left if found[-1] else b""
    return found


def _why(done: Executed) -> str:
    if done.is_timed_out:
        return "it took too long"
    return f"it passed the sandbox's limit {done.ended_by}" if done.ended_by else ""


def _reply(text: str, nonce: str) -> Reply | None:
    """The reply in a text from the sandbox, if it is one to that request."""
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.pop("nonce", None) != nonce:
        return None
    values: dict[str, Any] = {each.name: said.get(each.name, each.default) for each in fields(Reply)}
    if any(type(values[each.name]) is not type(each.default) for each in fields(Reply)):
        return None
    for name, value in values.items():
        values[name] = encodable(value) if isinstance(value, str) else value
    return Reply(**values)
