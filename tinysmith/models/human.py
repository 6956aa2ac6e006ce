"""`Human`: a person types the replies in the terminal."""

import sys
from functools import partial
from typing import TextIO

from tinysmith._shown import escaped
from tinysmith._threads import in_thread
from tinysmith.errors import ModelError
from tinysmith.messages import FREE, Ask, Reply
from tinysmith.models._schema import schema_in_prompt


class Human:
    """Shows each prompt to a person, who types the reply; an empty line or the end of input ends it.

    A schema for the reply is shown at the end of the prompt.

    Args:
        stdin: Where the person types; the process's own unless given.
        stdout: Where prompts are shown; the process's own unless given.
    """

    def __init__(self, *, stdin: TextIO | None = None, stdout: TextIO | None = None) -> None:
        self._stdin = stdin
        self._stdout = stdout

    def ask(self, request: Ask, /) -> Reply:
        """Answers with what the person types.

        Raises:
            ModelError: The input ended before anything was typed.
        """
        stdin, stdout = self._stdin or sys.stdin, self._stdout or sys.stdout
        for message in schema_in_prompt(request).messages:
            stdout.write(f"\n[{request.id or 'ask'}] {message.role}:\n{escaped(message.content)}\n")
        stdout.write(f"\n{request.id or 'reply'}, end with an empty line> ")
        stdout.flush()
        lines: list[str] = []
        for line in iter(stdin.readline, ""):
            if not line.strip() and lines:
                break
            if line.strip():
                lines.append(line)
        if not lines:
            raise ModelError("The input ended before a reply was typed.", model="human")
        return Reply("".join(lines).rstrip("\n"), usage=FREE, model="human")

    async def aask(self, request: Ask, /) -> Reply:
        """Answers with what the person types; the event loop goes on meanwhile."""
        return await in_thread(partial(self.ask, request))
