"""When Ctrl-C may be pressed for a test: once who is interrupted waits.

Python looks for signals between two steps of its own. One that comes after the last look, but before the call of
the system that then waits, is acted on only when that call is over: a person presses again, a test waits for ever.
"""

import os
import subprocess
import time
from pathlib import Path

_LOOKS = 5
_PAUSE_S = 0.02


def until_it_asks(process: "subprocess.Popen[bytes]", question: str) -> None:
    """Goes on when a process has asked a question on its standard error, and waits for the answer."""
    assert process.stderr is not None
    seen = b""
    while not seen.endswith(question.encode()):
        byte = os.read(process.stderr.fileno(), 1)
        assert byte, seen
        seen += byte
    until_it_waits(process.pid)


def until_it_waits(process: int, within_s: float = 60.0) -> None:
    """Goes on when the main thread of a process, which may be this one, has been asleep for a while."""
    stat = Path(f"/proc/{process}/stat")
    deadline = time.monotonic() + within_s
    asleep = 0
    while asleep < _LOOKS:
        assert time.monotonic() < deadline, f"process {process} does not wait"
        time.sleep(_PAUSE_S)
        state = stat.read_text(encoding="utf-8", errors="replace").rpartition(") ")[2][0]
        asleep = asleep + 1 if state == "S" else 0
