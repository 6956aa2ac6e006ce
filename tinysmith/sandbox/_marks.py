"""How a bash is told commands one after another: marks tell where the output of each begins and ends.

The marks hold a number that is new for each command. So what an earlier command still prints is dropped, and what
was printed to look like an end is output. Whoever takes the trouble to read the mark in the shell's memory can end
his own command early, and nothing else.
"""

import re
import secrets
import shlex

from attrs import define, field

_BEGIN = """\
exec 201>&1 2>&1
_tc=0
_tb() { %sreturn "$_tc"; }
_te() { _tc=$?; builtin printf '\\n%s>%d\\n' "$1" "$_tc" >&201; }
"""
BEGIN = _BEGIN.replace("%s", "builtin printf '%s<' \"$1\" >&201; ", 1).encode()
"""What a shell reads first that is told commands on its standard input."""

BEGIN_UNMARKED = _BEGIN.replace("%s", "", 1).encode()
"""The same for a shell that is told them by other ways, and by who reads what is left before each command."""

# One line, so that all of it is read before any of it runs; bash reads on only when it is done. The command is in
# no loop, which a `break` in it would end, and in no function, whose variables it would declare. Bash reads bytes
# one by one here, so the line is short; and bash 5.2 dies where `eval` is the next word after half a `$(`.
_LINE = "_tb;eval {command} 201>&-;_te {mark}\n"
_MARKED_LINE = "_tb {mark};eval {command} </dev/null 201>&-;_te {mark}\n"
_MARK = 8
_CODE = re.compile(rb"[0-9]{1,3}")
_CODE_BYTES = 4  # with the end of its line
_MOST_CODE = 255


@define(eq=False)
class Reading:
    """The output of one command, as far as it is read.

    Attributes:
        mark: What its begin and its end are known by.
        left: How many bytes of it are still kept; below 0 where it was too much.
        exit_code: None until the end is read, and where it is broken.
        is_broken: Whether the end has no exit code; so it is made up, and what follows may be anything.
    """

    mark: bytes
    left: int
    exit_code: int | None = None
    is_broken: bool = False
    _kept: bytearray = field(factory=bytearray)
    _tail: bytearray = field(factory=bytearray)
    _is_begun: bool = False
    _is_ending: bool = False

    @classmethod
    def new(cls, left: int, *, is_begun: bool = False) -> "Reading":
        """One whose mark nobody knows yet; `is_begun` where nothing is left of earlier commands."""
        return cls(secrets.token_hex(_MARK // 2).encode(), left, is_begun=is_begun)

    def line(self, command: str) -> bytes:
        """What makes a shell that has read `BEGIN` run a command between the marks."""
        line = _LINE if self._is_begun else _MARKED_LINE
        return line.format(mark=self.mark.decode(), command=shlex.quote(command)).encode()

    @property
    def is_over(self) -> bool:
        """Whether the end is read, broken or not."""
        return self.is_broken or self.exit_code is not None

    def take(self, more: bytes) -> None:
        """Takes what was read; of what comes behind the end nothing is kept."""
        if self.is_over:
            return
        self._tail += more
        if not self._is_begun:
            begin = self._tail.find(self.mark + b"<")
            if begin < 0:
                del self._tail[:-_MARK]  # of an earlier command
                return
            self._is_begun = True
            del self._tail[: begin + _MARK + 1]
        if not self._is_ending:
            end = self._tail.find(b"\n" + self.mark + b">")
            if end < 0:
                self._keep(len(self._tail) - _MARK - 1)
                return
            self._is_ending = True
            self._keep(end)
            del self._tail[: _MARK + 2]
        self._end()

    def output(self) -> bytes:
        """What the command printed, of which no more will come."""
        if self._is_begun and not self._is_ending:
            self._keep(len(self._tail))
        return bytes(self._kept)

    def _end(self) -> None:
        del self._tail[_CODE_BYTES:]
        code, is_whole, _ = self._tail.partition(b"\n")
        if is_whole or len(code) == _CODE_BYTES:
            number = int(code) if _CODE.fullmatch(code) else _MOST_CODE + 1
            self.is_broken = number > _MOST_CODE
            self.exit_code = None if self.is_broken else number

    def _keep(self, count: int) -> None:
        if count > 0:
            self._kept += self._tail[: min(count, max(0, self.left))]
            self.left -= count
            del self._tail[:count]
