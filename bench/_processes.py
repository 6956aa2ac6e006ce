"""What the benchmarks ask of the host about processes: whose they are, what they take, and what is mounted."""

from collections.abc import Sequence
from pathlib import Path


def descendants(number: int) -> Sequence[int]:
    """The children of a process, and theirs, zombies too."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(int(entry.name))):
            children.setdefault(parent, []).append(int(entry.name))
    family: list[int] = []
    left = [number]
    while left:
        born = children.get(left.pop(), [])
        family += born
        left += born
    return family


def living(number: int) -> Sequence[int]:
    """The descendants of a process that are no zombies."""
    return [each for each in descendants(number) if _stat(each)[:1] not in (["Z"], ["X"], [])]


def name_of(number: int) -> str:
    """A process's name; empty for one that has ended."""
    try:
        return Path(f"/proc/{number}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _parent(number: int) -> int | None:
    fields = _stat(number)
    return int(fields[1]) if fields else None


def _stat(number: int) -> list[str]:
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(") ")[2].split()


def memory_of(number: int) -> int:
    """Bytes of memory that a process takes, its share of what it shares (PSS); 0 for one that has ended."""
    try:
        lines = Path(f"/proc/{number}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) << 10


def mounts() -> Sequence[str]:
    """Where something is mounted for this process."""
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
