"""Tokens of MySQL's dialect: enough to rewrite a statement, not enough to judge it (SQLite does that)."""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from attrs import frozen

Kind: TypeAlias = Literal["string", "name", "number", "sign"]

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--(?=\s|$)[^\n]*|\#[^\n]*|/\*(?:.*?\*/|.*))
    |(?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    |(?P<name>`(?:[^`]|``)+`|[A-Za-z_$@\x80-\U0010ffff][\w$@]*)
    |(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<sign><=>|<=|>=|<>|!=|\|\||&&|.)
    """,
    re.VERBOSE | re.DOTALL,
)
# MySQL's escapes within a string; any other escaped character stands for itself.
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a", "%": "\\%", "_": "\\_"}
_ESCAPED = re.compile(r"\\(.)|''|\"\"", re.DOTALL)


@frozen
class Token:
    """One token; comments and blanks are none.

    Attributes:
        kind: What it is; a quoted name is a name, an operator or a stray quote is a sign.
        text: As it was written.
        start: Where it begins in the statement, from 0.
    """

    kind: Kind
    text: str
    start: int

    @property
    def word(self) -> str:
        """A name or sign in upper case, for comparing; a string is no word."""
        return "" if self.kind == "string" else self.text.upper()

    @property
    def name(self) -> str:
        """A name in lower case without its backticks; empty for all other kinds."""
        if self.kind != "name":
            return ""
        bare = self.text[1:-1].replace("``", "`") if self.text.startswith("`") else self.text
        return bare.lower()


def tokens_of(sql: str) -> list[Token]:
    """Splits a statement into tokens. Never fails: what fits nothing else is a sign."""
    found = []
    for match in _TOKEN.finditer(sql):
        if match.lastgroup != "space":
            kind: Kind = match.lastgroup  # type: ignore[assignment]  # the pattern's other groups are the kinds
            found.append(Token(kind, match.group(), match.start()))
    return found


def string_value(text: str) -> str:
    """The value of a quoted string, by MySQL's rules."""
    quote = text[0]

    def replace(match: re.Match[str]) -> str:
        if match.group(1) is not None:
            return _ESCAPES.get(match.group(1), match.group(1))
        return quote if match.group()[0] == quote else match.group()

    return _ESCAPED.sub(replace, text[1:-1])


def quoted(value: str) -> str:
    """An SQLite literal of that value. A NUL would end SQLite's text, so it is left out."""
    return "'" + value.replace("'", "''").replace("\0", "") + "'"


def closing(tokens: Sequence[Token], opening: int) -> int:
    """The index of the parenthesis that closes the one at `opening`; the number of tokens if none does."""
    depth = 0
    for index in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[index].text, 0)
        if depth == 0:
            return index
    return len(tokens)


def split_at(tokens: Sequence[Token], *words: str) -> list[list[Token]]:
    """Cuts tokens at those words, outside of parentheses; always gives at least one part."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.word in words:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
