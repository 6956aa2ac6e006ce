"""`--approve NODE`: a person at the terminal decides before something is carried out."""

import json
import signal
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from tinysmith._shown import escaped
from tinysmith.approval import Approve, Decision, Edit, Refuse, asks_whether
from tinysmith.mapping import thaw
from tinysmith.messages import Act, Ask, Call
from tinysmith.strategy import Strategy, plan_of

Answer: TypeAlias = bool | Decision


class Approving:
    """Asks before the requests of some nodes are carried out; at the end of the input nobody is there to answer.

    Args:
        names: The nodes.
        strategy: Whose they are.
        pauses: Whether the run is paused then, since a journal keeps it; else the request is refused.

    Raises:
        UsageError: A name is of no node.
    """

    def __init__(self, names: Collection[str], strategy: Strategy[Any], *, pauses: bool) -> None:
        self._is_asked = asks_whether(names, plan_of(strategy).nodes)
        self._otherwise: Answer = True if pauses else Refuse("Nobody was there to approve this.")

    def __call__(self, request: Ask | Act | Call) -> Answer:
        """What is done with a request: False where nobody need be asked, True where the run is paused."""
        if self._is_asked(request) is False:
            return False
        _show(f"\n[{request.id}] wants {_wanted(request)}\n")
        with _interruptible():
            while line := _typed("[y]es, [e]dit, [n]o: "):
                match line.strip().lower():
                    case "y" | "yes":
                        return Approve()
                    case "n" | "no":
                        return Refuse()
                    case "e" | "edit":
                        if (edit := _edited(request)) is not None:
                            return edit
        _show("\n")
        return self._otherwise


def edit_of(text: str, *, is_call: bool) -> Edit | None:
    """What is carried out instead; None where a call needs arguments, and the text is no JSON object."""
    if not is_call:
        return Edit(text)
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return Edit(arguments) if isinstance(arguments, dict) else None


def _edited(request: Ask | Act | Call) -> Edit | None:
    is_call = isinstance(request, Call)
    lines: list[str] = []
    while (line := _typed("" if lines else "Instead, ended by an empty line:\n")).strip():
        lines.append(line)
    if not lines:
        return None
    edit = edit_of("".join(lines).removesuffix("\n"), is_call=is_call)
    if edit is None:
        _show("These are no arguments; give one JSON object.\n")
    return edit


def _wanted(request: Ask | Act | Call) -> str:
    match request:
        case Act(action=action):
            return f"to do:\n{escaped(action)}"
        case Ask(messages=messages):
            return "to ask:\n" + "\n".join(f"{each.role}: {escaped(each.content)}" for each in messages)
        case call:
            return f"to call, with:\n{json.dumps(thaw(call.arguments), default=repr)}"


def _typed(prompt: str) -> str:
    _show(prompt)
    return sys.stdin.readline()


def _show(text: str) -> None:
    sys.stderr.write(text)  # standard output is for results
    sys.stderr.flush()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lets Ctrl-C end the waiting: an event loop would only take note of it, and never come to act on it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
