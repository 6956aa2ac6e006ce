"""What a function is worth: its outcomes in hidden tests, beside those of the gold code.

The agent's code is done once more, in a sandbox of its own, and asked for the tests' values; what they should be
stays outside, as does the gold code, which runs in an interpreter of its own. Code can make up a reply of its
interpreter, so a reply is right by a value that only one who knows it can say, never by the lack of an error.
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
_MOST_PRINTED = 10_000
_LEAST_PRINTED = 100  # an error is never cut to nothing
_BYTES_A_CHARACTER = 64  # of what a test prints, on both streams; more than half of it is left for its value

Outcome: TypeAlias = tuple[bool, str, str]


@frozen
class Right:
    """What the gold code gives.

    Attributes:
        expected: The canonical text of each test's right value.
        outcomes: What each test gave: whether it passed, output and error; empty where nobody asks for it.
    """

    expected: tuple[str, ...] = field(repr=False)
    outcomes: tuple[Outcome, ...] = field(default=(), repr=False)


async def right(sandbox: Sandbox, reference: Reference, fidelity: Fidelity, *, wall_s: float) -> Right | None:
    """What the gold code gives, in a sandbox as it is at first; None where it gives nothing to compare with.

    It may take `wall_s` seconds. Nothing is run where the tests say it all: with literals for values, and a
    fidelity that asks no more.
    """
    expected = [test.expected for test in reference.tests]
    if 4 * sum(map(len, expected)) > sandbox.spec.limits.output_bytes:
        return None  # a right function could not say it either
    if fidelity == "strict" and all(expected):
        return Right(tuple(expected))
    before = [*PRELUDE[fidelity], Request("exec", reference.setup), Request("exec", reference.gold)]
    open_ones = [test for test in reference.tests if not test.expected]
    printed = _most_printed(sandbox, reference)
    asked = [*_questions(reference, printed), *(Request("eval", test.answer, 0) for test in open_ones)]
    answers = await replies(sandbox, asked, before=before, wall_s=wall_s)
    worked_out = answers[len(expected) :]
    if None in answers or any(reply and reply.is_ok and not reply.value for reply in worked_out):
        return None
    values = iter(worked_out)
    expected = [value or getattr(next(values), "value", "") for value in expected]
    outcomes = [_outcome(reply, value) for reply, value in zip(answers, expected, strict=False)]
    return Right(tuple(expected), tuple(outcome for outcome in outcomes if outcome))


async def passed(
    sandbox: Sandbox,
    actions: Sequence[Request],
    function: str,
    *,
    reference: Reference,
    found: Right,
    wall_s: float,
) -> list[bool]:
    """Whether the agent's function passes each test that counts, in a sandbox as it is at first.

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
    printed = _most_printed(sandbox, reference) if found.outcomes else 0
    answers = await replies(sandbox, _questions(reference, printed), before=before, wall_s=wall_s)
    if found.outcomes:
        mine = [_outcome(reply, value) for reply, value in zip(answers, found.expected, strict=True)]
        return [mine[index] == found.outcomes[index] for index in reference.counted]
    return [_is_right(reply, value) for reply, value in zip(answers, found.expected, strict=True)]


def _most_printed(sandbox: Sandbox, reference: Reference) -> int:
    """How many characters of a test's output are looked at, so that no test takes the room of another."""
    most = sandbox.spec.limits.output_bytes // (_BYTES_A_CHARACTER * len(reference.tests))
    return min(_MOST_PRINTED, max(_LEAST_PRINTED, most))


def _questions(reference: Reference, most_characters: int) -> list[Request]:
    return [Request("eval", test.question, most_characters) for test in reference.tests]


def _is_right(reply: Reply | None, expected: str) -> bool:
    return reply is not None and reply.is_ok and reply.value == expected != ""


def _outcome(reply: Reply | None, expected: str) -> Outcome | None:
    """Whether the test passes, and what InterCode's server would have told of it; None where nothing is told."""
    if reply is None or not (reply.is_ok or reply.error):
        return None
    if _is_right(reply, expected):
        return True, reply.output, reply.error
    return False, "", _UNEQUAL if reply.is_ok else reply.error
