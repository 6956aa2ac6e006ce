"""A key that must not be seen, and the places where it would be."""

import traceback
from collections.abc import Iterator

CANARY = "sk-canary-" + "0123456789"


def canary() -> str:
    """The key; never in a variable of a test's frames, which tracebacks show as well."""
    return CANARY


def texts_of(error: BaseException) -> Iterator[str]:
    """Everything that tells of an error, with local variables shown."""
    yield from (str(error), repr(error), repr(vars(error)))
    yield "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    link: BaseException | None = error
    while link is not None:
        yield "".join(traceback.format_exception(link))
        yield from (repr(frame.f_locals) for frame, _ in traceback.walk_tb(link.__traceback__))
        link = link.__cause__ or link.__context__
