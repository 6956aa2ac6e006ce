"""How a process ends before its command has: whoever asks for it, it is as with Ctrl-C, so nothing stays."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING = ("SIGTERM", "SIGHUP")  # of `kill`, and of a terminal that is closed; one of them Windows lacks


@contextmanager
def as_if_interrupted() -> Iterator[list[int]]:
    """Within it, a signal that asks the process to end interrupts it; the signals that did are in the list.

    One that is ignored, as by `nohup`, stays so. Threads other than the main one have no signals.
    """
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        current = signal.getsignal(signal.SIGINT)  # an event loop cancels its main task
        if not callable(current):
            raise KeyboardInterrupt
        current(signal.SIGINT, frame)

    asking = [getattr(signal, name) for name in _ASKING if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        asking = []
    taken = [number for number in asking if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, interrupt)
    try:
        yield came
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def open_streams() -> None:
    """Puts something in place of streams that this process lacks: an input at its end, an output to nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # it is no path, and stays open
