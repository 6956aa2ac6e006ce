"""`Report`: what was found, for a person, as JSON and as SARIF."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import asdict, frozen

from tinysmith._shown import escaped
from tinysmith.checks._places import Place
from tinysmith.checks._sarif import sarif
from tinysmith.errors import Finding, Level

LEVELS: tuple[Level, ...] = ("error", "warning", "information")
_COLOURS: dict[Level, str] = {"error": "31", "warning": "33", "information": "36"}
_BOARDS = {
    "reachable": "a run comes to it:",
    "possible": "its type allows it, but no run was seen to come to it:",
}


@frozen
class Located:
    """A finding, where in the sources it belongs, and the reason with which the class allows it, if it does."""

    finding: Finding
    place: Place | None = None
    reason: str = ""


@frozen
class Report:
    """What `check` found.

    Attributes:
        strategies: The names of what was checked.
        located: Everything that was found, errors first, what is allowed too.
    """

    strategies: tuple[str, ...] = ()
    located: tuple[Located, ...] = ()

    @classmethod
    def joined(cls, reports: Iterable["Report"]) -> "Report":
        """One report of several."""
        every = tuple(reports)
        found = [each for report in every for each in report.located]
        found.sort(key=lambda each: LEVELS.index(each.finding.level))
        return cls(tuple(name for report in every for name in report.strategies), tuple(found))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found and is not allowed, errors first."""
        return tuple(each.finding for each in self.located if not each.reason)

    @property
    def is_clean(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return not self.reaches("warning")

    def reaches(self, level: Level) -> bool:
        """Whether anything of this level, or worse, was found."""
        return any(LEVELS.index(found.level) <= LEVELS.index(level) for found in self.findings)

    def __str__(self) -> str:
        return self.text()

    def text(self, *, has_colour: bool = False) -> str:
        """The report for a person.

        Args:
            has_colour: Whether levels are coloured, by ANSI's codes.
        """
        return "\n".join(self._lines(has_colour=has_colour))

    def _lines(self, *, has_colour: bool) -> Iterator[str]:
        owners = {each.finding.where.partition(".")[0].partition(":")[0]: None for each in self.located}
        for name in owners:
            mine = [each for each in self.located if _is_of(each.finding, name)]
            if any(not each.reason for each in mine):
                yield f"{name}: {_counted(each.finding.level for each in mine if not each.reason)}"
                for each in mine:
                    if not each.reason:
                        yield from _told(each, has_colour=has_colour)
                yield ""
        for each in self.located:
            if each.reason:
                yield f"allowed: {each.finding.where} [{each.finding.code}]: {escaped(each.reason)}"
        yield self.summary

    @property
    def summary(self) -> str:
        """The last line: how many were checked, and how much was found."""
        count = len(self.strategies)
        allowed = sum(bool(each.reason) for each in self.located)
        tail = f", {allowed} allowed" if allowed else ""
        counted = _counted(found.level for found in self.findings)
        return f"{count} {'strategy' if count == 1 else 'strategies'} checked: {counted}{tail}."

    def to_json(self) -> str:
        """The report as a JSON object: `strategies`, `findings` and `allowed`."""
        findings = [_plain(each) for each in self.located if not each.reason]
        allowed = [_plain(each) | {"reason": each.reason} for each in self.located if each.reason]
        report = {"strategies": list(self.strategies), "findings": findings, "allowed": allowed}
        return json.dumps(report, indent=2, ensure_ascii=True)

    def to_sarif(self) -> str:
        """The report as SARIF 2.1.0, with files relative to the working directory."""
        return json.dumps(sarif([(each.finding, each.place, each.reason) for each in self.located]), indent=2)


def _is_of(finding: Finding, name: str) -> bool:
    return finding.where.partition(".")[0].partition(":")[0] == name


def _told(each: Located, *, has_colour: bool) -> Iterator[str]:
    found = each.finding
    level = f"\x1b[{_COLOURS[found.level]}m{found.level}\x1b[0m" if has_colour else found.level
    place = f" ({each.place.shown}:{each.place.line})" if each.place else ""
    yield f"  {level} [{found.code}]{place}"
    yield f"    {escaped(f'{found.where}: {found.problem}')}"
    if found.level == "information":  # there are many; the whole of them is in the other formats
        yield from (f"      {escaped(line)}" for line in found.example.splitlines()[-1:])
        return
    yield f"    {escaped(found.remedy)}"
    if found.example:
        yield f"    {_BOARDS.get(found.board, 'for example:')}"
        yield from (f"      {escaped(line)}" for line in found.example.splitlines())


def _counted(levels: Iterable[Level]) -> str:
    counts = Counter(levels)
    words = {"error": "errors", "warning": "warnings", "information": "for information"}
    one = words | {"error": "error", "warning": "warning"}
    told = [
        f"{counts[level]} {(one if counts[level] == 1 else words)[level]}" for level in LEVELS if counts[level]
    ]
    return ", ".join(told) or "nothing found"


def _plain(each: Located) -> dict[str, Any]:
    place = {"file": each.place.shown, "line": each.place.line} if each.place else {"file": None, "line": None}
    return asdict(each.finding) | place
