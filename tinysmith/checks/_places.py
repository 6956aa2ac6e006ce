"""Where in the sources something stands."""

import inspect
from pathlib import Path
from typing import Any

from attrs import frozen

_OURS = Path(__file__).parent.parent


@frozen
class Place:
    """A line of a file."""

    file: str
    line: int

    @property
    def shown(self) -> str:
        """The file, relative to the working directory where it is below that."""
        path, here = Path(self.file), Path.cwd()
        return str(path.relative_to(here) if here in path.parents else path)


def place_of(strategy: type[Any], node: str, guard: Any = None) -> Place | None:
    """Where a guard, a node's class or the strategy's class begins, the nearest that the user wrote."""
    held = getattr(strategy, node, None) if node else None
    candidates = [guard, type(held) if held is not None else None, strategy]
    places = [_begin(thing) for thing in candidates if thing is not None]
    return next((place for place in places if place and _OURS not in Path(place.file).parents), None)


def last_line(error: BaseException) -> Place | None:
    """The line, outside of this package, whose running raised an error."""
    place = None
    frame = error.__traceback__
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if _OURS not in Path(file).parents and not file.startswith("<"):
            place = Place(file, frame.tb_lineno)
        frame = frame.tb_next
    return place


def _begin(thing: Any) -> Place | None:
    try:
        file, (_, line) = inspect.getsourcefile(thing), inspect.getsourcelines(thing)
    except (OSError, TypeError):  # made without a file, as in a notebook or by `type(…)`
        return None
    return Place(str(Path(file).resolve()), max(line, 1)) if file else None
