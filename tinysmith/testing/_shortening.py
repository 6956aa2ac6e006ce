"""A fault, shown by a conversation that is as short as it can be.

Hypothesis takes out what it has drawn piece by piece, and often ends at a conversation that goes round a cycle
once more than it must: a round can only be left out with all of its turns at the same time.
"""

from tinysmith._shortening import shortened, without_rounds
from tinysmith.errors import EventError
from tinysmith.testing._play import FaultError, Play, Turns
from tinysmith.testing._referee import Referee


def shortened_fault(referee: Referee, fault: FaultError) -> FaultError:
    """The fault, shown by a part of its conversation in which everybody who is left says what he said.

    Args:
        referee: Who finds it.
        fault: One that it has found.
    """

    def shows(turns: Turns) -> bool:
        nonlocal fault
        found = _fault(referee, fault, turns)
        fault = found or fault
        return found is not None

    without_rounds(shortened(fault.turns, shows), shows)
    return fault


def _fault(referee: Referee, fault: FaultError, turns: Turns) -> FaultError | None:
    """The same fault, shown by a part of its conversation; None where that is none, or shows something else."""
    seam = next((turn for turn in zip(turns, fault.turns, strict=False) if turn[0] != turn[1]), None)
    if seam is not None and seam[0][0] != seam[1][0]:
        return None  # at once: up to there nothing is changed, so another node is to be answered
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
