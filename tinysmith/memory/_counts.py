"""The counts that a node is given, checked when it is made."""

from tinysmith.errors import UsageError


def at_least(least: int, **counts: int | None) -> None:
    """Checks numbers that a node was given by these names; None passes, where it means "no limit".

    Raises:
        UsageError: One of them is smaller.
    """
    for name, count in counts.items():
        if count is not None and count < least:
            raise UsageError(f"{name}={count!r} is too small. Give {least} or more.")
