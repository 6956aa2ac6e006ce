"""A shorter conversation that shows a fault, too.

Hypothesis takes out what it has drawn piece by piece, and often ends at a conversation that goes round a cycle
once more than it must: a round can only be left out with all of its turns at the same time. So it is done here, as
by delta debugging: Andreas Zeller and Ralf Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002,
doi:10.1109/32.988498.
"""

from tinysmith.errors import EventError
from tinysmith.testing._play import FaultError, Play, Turns
from tinysmith.testing._referee import Referee


def shortened(referee: Referee, fault: FaultError) -> FaultError:
    """A fault that is shown by as few turns as can be, each at the node that it was at.

    Args:
        referee: Who finds it.
        fault: One that it has found.
    """
    size = len(fault.turns) // 2
    while size:
        place = 0
        while place < len(fault.turns):
            found = _fault(referee, fault, fault.turns[:place] + fault.turns[place + size :])
            if found is None:
                place += 1
            else:
                fault = found
        size = min(size - 1, len(fault.turns) // 2)
    return fault


def _fault(referee: Referee, fault: FaultError, turns: Turns) -> FaultError | None:
    """The same fault, shown by a part of its conversation; None where that is none, or shows something else."""
    try:
        play = Play(referee, fault.board)
        for node, event in turns:
            if play.is_over or play.position.node != node:
                return None
            play.answer(event)
        play.finish(len(turns) // 2)
    except FaultError as error:
        is_misfit = isinstance(error.__cause__, EventError)
        return error if error.check == fault.check and not is_misfit else None
    return None
