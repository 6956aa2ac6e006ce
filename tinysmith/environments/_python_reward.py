"""What a function is worth: its outcomes in hidden tests, beside those of the gold code.

The agent's code is done once more, in a sandbox of its own, and asked for the tests' values; what they should be
stays outside, as does the gold code, which runs in an interpreter of its own.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from attrs import field, frozen

from tinysmith.environments._python_session import Reply, Request, replies
from tinysmith.environments._python_tasks import Reference
from tinysmith.sandbox import Sandbox

Fidelity: TypeAlias = Literal["intercode", "strict"]

PRELUDE: dict[Fidelity, tuple[Request, ...]] = {
    "intercode": (Request("exec", "import sys\nfrom io import StringIO"),),  # InterCode's server has both
    "strict": (),
}
_UNEQUAL = "Error: "  # what InterCode's server says of a failed assert


@frozen
class Right:
    """What the gold code gives.

    Attributes:
        expected: The canonical text of each test's right value.
        outcomes: What each test gave, output and error; empty where nobody asks for it.
    """

    expected: tuple[str, ...] = field(repr=False)
    outcomes: tuple[tuple[str, str], ...] = field(default=(), repr=False)


async def right(sandbox: Sandbox, reference: Reference, fidelity: Fidelity, *, wall_s: float) -> Right | None:
    """What the gold code gives, in a sandbox as it is at first; None where it gives nothing to compare with.

    It may take `wall_s` seconds. Nothing is run where the tests say it all: with literals for values, and a
    fidelity that asks no more.
    """
    expected = [test.expected for test in reference.tests]
    if fidelity == "strict" and all(expected):
        return Right(tuple(expected))
    before = [*PRELUDE[fidelity], Request("exec", reference.setup), Request("exec", reference.gold)]
    open_ones = [test for test in reference.tests if not test.expected]
    asked = [*_questions(reference), *(Request("eval", test.answer) for test in open_ones)]
    answers = await _asked(sandbox, before, asked, wall_s)
    worked_out = answers[len(expected) :]
    if None in answers or any(reply and reply.is_ok and not reply.value for reply in worked_out):
        return None
    values = iter(worked_out)
    expected = [value or getattr(next(values), "value", "") for value in expected]
    outcomes = [_outcome(reply, value) for reply, value in zip(answers, expected, strict=False)]
    return Right(tuple(expected), tuple(outcomes))


async def passed(
    sandbox: Sandbox,
    actions: Sequence[Request],
    function: str,
    *,
    reference: Reference,
    found: Right,
    wall_s: float,
) -> int:
    """How many tests the agent's function passes, in a sandbox as it is at first.

    Args:
        sandbox: Where.
        actions: What the agent did.
        function: The name of its function; empty for none.
        reference: What it is judged by.
        found: What the gold code gives.
        wall_s: Seconds that the actions and the tests may take together.
    """
    name = reference.first if found.outcomes else reference.asked
    bound = [Request("exec", f"{name} = {function}")] if function.isidentifier() else []
    before = [*actions, *bound, Request("exec", reference.setup)]
    answers = await _asked(sandbox, before, _questions(reference), wall_s)
    if found.outcomes:
        mine = [_outcome(reply, value) for reply, value in zip(answers, found.expected, strict=True)]
        return sum(one == other for one, other in zip(mine, found.outcomes, strict=True))
    return sum(_is_right(reply, value) for reply, value in zip(answers, found.expected, strict=True))


async def _asked(
    sandbox: Sandbox, before: Sequence[Request], asked: Sequence[Request], wall_s: float
) -> list[Reply | None]:
    return (await replies(sandbox, [*before, *asked], wall_s=wall_s))[len(before) :]


def _questions(reference: Reference) -> list[Request]:
    return [Request("eval", test.question) for test in reference.tests]


def _is_right(reply: Reply | None, expected: str) -> bool:
    return reply is not None and reply.is_ok and reply.value == expected != ""


def _outcome(reply: Reply | None, expected: str) -> tuple[str, str]:
    """What InterCode's server would have told of the test."""
    if reply is None:
        return "", "Error: there is no answer"
    if reply.is_ok and (reply.value != expected or not expected):
        return "", _UNEQUAL
    return reply.output, reply.error
