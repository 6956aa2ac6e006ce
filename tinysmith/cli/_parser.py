"""A parser of arguments that tells what is misspelt in one line, with the near names."""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from tinysmith._shown import near, one_line

_CHOICE = re.compile(r"invalid choice: '(?P<given>.*)' \(choose from (?P<known>.*)\)", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """As `argparse`'s, but no option is abbreviated, and a wrong one is told before one that is missing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self._given: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """As the base class's, which has the arguments of a command parsed by that one's own parser."""
        self._given = sys.argv[1:] if args is None else args
        known, strange = super().parse_known_args(args, namespace)
        if strange:
            self._given = strange
            self.error(f"unrecognized arguments: {' '.join(strange)}")
        return known, strange

    def error(self, message: str) -> NoReturn:
        """Says what is wrong in one line, and ends with exit code 2."""
        self.exit(2, f"{self.prog}: {one_line(self._told(message), 600)} See `{self.prog} --help`.\n")

    def _told(self, message: str) -> str:
        choice = _CHOICE.search(message)
        if choice:
            known = re.findall(r"'([^']*)'", choice["known"])
            return f"{message[: choice.start()]}there is no {choice['given']!r}. {near(choice['given'], known)}"
        options = [option for option in self._option_string_actions if option.startswith("--")]
        given = [word.partition("=")[0] for word in self._given if re.match("--.", word)]
        wrong = next((word for word in given if word not in options), None)
        return f"{message}." if wrong is None else f"there is no option {wrong}. {near(wrong, options)}"
