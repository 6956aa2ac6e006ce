"""Where JSON, or what models write instead of it, stands in a text, and the parts that it consists of.

Charter: what each text and word says is told here, by rules that leave no choice; so is where JSON begins, where
it ends, and whether it leaves something out. Whether its parts fit together is not. All is linear.
"""

import re
from collections.abc import Iterator

from attrs import define

from tinysmith._shown import one_line
from tinysmith.errors import ParseError

MOST_DEPTH = 100

_QUOTES = {
    '"': '"',
    "'": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '["\N{RIGHT DOUBLE QUOTATION MARK}]',
    "\N{LEFT SINGLE QUOTATION MARK}": "\N{RIGHT SINGLE QUOTATION MARK}",
}
"""The marks that begin a text, and the patterns of those that end it."""

_QUOTE = f"[{''.join(_QUOTES)}]"
_ENDS = {mark: re.compile(rf"\\|{end}") for mark, end in _QUOTES.items()}
_FIRST = re.compile(
    rf"""\{{(?=\s*(?:{_QUOTE}|[}}/#]|\w+\s*:|\Z))"""
    rf"""|(?<![\w\])])\[(?=\]|\s*(?:{_QUOTE}|[{{\[/#\d-]|(?:true|false|null|True|False|None)\b|\Z))"""
)
_TOKEN = re.compile(
    rf"""(?P<open>[{{\[(])|(?P<close>[}}\])])|(?P<quote>{_QUOTE})|(?P<comment>(?://|\#)[^\n]*|/\*.*?(?:\*/|\Z))"""
    rf"""|(?P<gap>\.\.\.|…)|(?P<bare>:(?=\s*[,}}\]]|[^,:{{}}\[\]/#{"".join(_QUOTES)}]*:))"""
    r"""|(?P<colon>:)|(?P<comma>,)|(?P<constant>-?(?:NaN|nan|Infinity|inf|undefined)(?!\w))"""
    rf"""|(?P<word>(?:(?!\.\.\.|…)[^\s{{}}\[\](),:/#{"".join(_QUOTES)}])++|/)""",
    re.DOTALL,
)
_ESCAPE = re.compile(rf"""(\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}))|\\({_QUOTE})|[\\"]""")
_PAIRED = re.compile(
    r"""(?:[^"\\]++|\\.|(?<![^\s(\[{<])"(?=\w)(?:[^"\\]++|\\.)*+(?<=[\w.!?%)])"(?!\w))*+""", re.DOTALL
)
_KEY = re.compile(r"[\w$.-]++")
_COLON = re.compile(r"\s*+:")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+")
_LITERALS = {"True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null"}
_JOINTS = frozenset("{[(,:")
_BRACKET = re.compile(r"[{}\[\]]")
_INSIDE = re.compile(r"\s*+[,}\]]")
_CLOSERS = {"{": "}", "[": "]", "(": ")"}
_AFTER = re.compile(r"""\s*+(?:[,:}\])/#]|\Z)|[^\S\n]*+\n\s*+"[^"\\\n]*+"\s*+:""")
"""After a text: also a line break and a key, whose comma was forgotten."""

_CUT_OFF = (
    "The JSON in your reply does not end: the reply was cut off, or a bracket or quotation mark is missing or not "
    "escaped. Reply again with the whole JSON, more briefly if it is long."
)
TOO_DEEP = f"The JSON in your reply is nested more than {MOST_DEPTH} deep. Write it flatter."
AGAIN = "Write it again as valid JSON."
_STRAY = (
    "A text in the JSON of your reply holds a quotation mark. Use double ones, and escape those inside of texts."
)
_NO_COMMA = f"A comma in the JSON of your reply is missing. {AGAIN}"
_NO_VALUE = f"A value in the JSON in your reply is missing, or is a text without quotation marks. {AGAIN}"


@define
class Span:
    """What stands from a bracket to the one that closes it.

    Attributes:
        parts: Its brackets and commas and colons, and its keys and values as JSON.
        end: Where it ends in the text around it.
        flaw: Why it cannot be mended; empty where it can.
    """

    parts: list[str]
    end: int = 0
    flaw: str = ""

    @property
    def kind(self) -> type:
        return dict if self.parts[0] == "{" else list

    def add(self, part: str, *, is_key: bool = False) -> None:
        """Adds a key, a value or its opening bracket; a comma may be missing before a key and between brackets."""
        if not (self.parts[-1] in _JOINTS or is_key or (part in _CLOSERS and self.parts[-1] in _CLOSERS.values())):
            self.refuse(_NO_COMMA)
        self.parts.append(part)

    def refuse(self, flaw: str) -> None:
        """Notes why it cannot be mended, if nothing was noted before."""
        self.flaw = self.flaw or flaw


def spans(text: str) -> Iterator[Span]:
    """The stretches of a text that begin as JSON does, one after another.

    Raises:
        ParseError: One of them does not end, or is too deep.
    """
    at = 0
    while first := _FIRST.search(text, at):
        span = _span(text, first.start())
        if _is_open(text[at : first.start()]) and _INSIDE.match(text, span.end):
            span.refuse(f"The JSON in your reply is part of something in brackets that is none. {AGAIN}")
        at = span.end
        yield span


def _is_open(text: str) -> bool:
    """Whether a bracket in a text is not closed."""
    depth = 0
    for bracket in _BRACKET.findall(text):
        depth = depth + 1 if bracket in _CLOSERS else max(depth - 1, 0)
    return depth > 0


def _span(text: str, start: int) -> Span:
    """From a bracket to the one that closes it, past comments, quotation marks of any kind, forgotten brackets."""
    closers, span, at = [_CLOSERS[text[start]]], Span([text[start]]), start + 1
    while token := _TOKEN.search(text, at):
        at = token.end()
        match token.lastgroup:
            case "open":
                closers.append(_CLOSERS[token[0]])
                if len(closers) > MOST_DEPTH:
                    raise ParseError(TOO_DEEP)
                span.add(token[0])
            case "close":
                _close(closers, token[0], span)
                if not closers:
                    span.end = at
                    return span
            case "quote":
                at = _past_quoted(text, token, span)
            case "word":
                _add_word(token[0], span, is_key=closers[-1] == "}" and bool(_COLON.match(text, at)))
            case "comma" | "colon":
                _join(token[0], span, is_list=closers[-1] != "}")
            case "gap" | "bare" | "constant":
                span.refuse(_flaw(token))
    raise ParseError(_CUT_OFF)


def _join(mark: str, span: Span, *, is_list: bool) -> None:
    if is_list and mark == ":":
        span.refuse(f"A list in the JSON of your reply holds a key. {AGAIN}")
    if span.parts[-1] in _JOINTS:
        span.refuse(_NO_VALUE)
    span.parts.append(mark)


def _close(closers: list[str], mark: str, span: Span) -> None:
    """Closes the innermost bracket of this kind, and those in it that were forgotten."""
    if mark not in closers:
        span.refuse(f"A `{mark}` in the JSON of your reply closes nothing. {AGAIN}")
        return
    if span.parts[-1] == ",":
        span.parts.pop()
    while (closer := closers.pop()) != mark:
        span.parts.append(closer)
    span.parts.append(mark)


def _past_quoted(text: str, begin: re.Match[str], span: Span) -> int:
    """Where a quoted text ends: at a mark before a comma, colon, bracket or comment; others are part of it.

    That is a guess, which must be confirmed: JSON's marks in a text stand in pairs around words.
    """
    at, mark, has_strays = begin.end(), begin[0], False
    while end := _ENDS[mark].search(text, at):
        at = end.end()
        if end[0] == "\\":
            at += 1
        elif _AFTER.match(text, at):
            said = text[begin.end() : end.start()]
            if has_strays and not (mark == '"' and _PAIRED.fullmatch(said)):
                span.refuse(_STRAY)
            span.add(f'"{_ESCAPE.sub(_escaped, said)}"', is_key=bool(_COLON.match(text, at)))
            return at
        else:
            has_strays = True
    raise ParseError(_CUT_OFF)


def _escaped(mark: re.Match[str]) -> str:
    """A backslash or quotation mark in a text, as JSON wants it."""
    return mark[1] or mark[2] or "\\" + mark[0]


def _add_word(word: str, span: Span, *, is_key: bool) -> None:
    """Adds what stands there without quotation marks: a key, a constant, or a number."""
    if is_key and _KEY.fullmatch(word):
        span.add(f'"{word}"', is_key=True)
    elif word in _LITERALS or _NUMBER.fullmatch(word):
        span.add(_LITERALS.get(word, word))
    else:
        problem = f"`{one_line(word, 40)}` in the JSON of your reply is no JSON value."
        span.refuse(f"{problem} Put texts into double quotation marks.")


def _flaw(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "gap":
            return f"The JSON in your reply leaves something out with `{token[0]}`. Write all of it."
        case "bare":
            return _NO_VALUE
    return no_constant_said(token[0])


def no_constant_said(name: str) -> str:
    return f"The JSON in your reply holds {name}, which is no JSON value. Write a number that is finite, or null."
