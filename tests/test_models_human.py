"""A person types the replies."""

import asyncio
import io
import os
import sys

import pytest

from tinysmith import Ask, FrozenDict, Message
from tinysmith.errors import ModelError
from tinysmith.models.human import Human

ASK = Ask((Message("system", "Be brief."), Message("user", "Go \x1b[2J on.")), id="writer", node="writer")


def typed(text: str) -> tuple[str, str]:
    """The reply to what is typed, and what was shown."""
    shown = io.StringIO()
    return Human(stdin=io.StringIO(text), stdout=shown).ask(ASK).text, shown.getvalue()


class TestHuman:
    @pytest.mark.parametrize(
        ("text", "reply"),
        [
            ("one\n\n", "one"),
            ("one\ntwo\n\nthree\n\n", "one\ntwo"),
            ("\n\n  one\n\n", "  one"),
            ("one", "one"),
            ("one\ntwo", "one\ntwo"),
        ],
    )
    def test_reads_to_an_empty_line(self, text: str, reply: str) -> None:
        """A reply ends at an empty line or with the input; empty lines before it are nothing."""
        assert typed(text)[0] == reply

    def test_shows_the_prompt(self) -> None:
        """The whole prompt is shown, by role, with everything that a terminal would obey written out."""
        shown = typed("x\n\n")[1]
        assert "[writer] system:\nBe brief.\n" in shown
        assert "[writer] user:\nGo \\x1b[2J on.\n" in shown
        assert shown.endswith("writer, end with an empty line> ")

    def test_asks_without_an_id(self) -> None:
        """An ask without an id is shown all the same."""
        shown = io.StringIO()
        Human(stdin=io.StringIO("x"), stdout=shown).ask(Ask((Message("user", "Go."),)))
        assert "[ask] user:\nGo.\n" in shown.getvalue()
        assert shown.getvalue().endswith("reply, end with an empty line> ")

    def test_shows_the_schema(self) -> None:
        """The schema that the reply should fit is shown at the end of the prompt."""
        shown = io.StringIO()
        schema = FrozenDict({"type": "object"})
        Human(stdin=io.StringIO("x"), stdout=shown).ask(Ask((Message("user", "Go."),), schema=schema))
        words = "Reply with JSON that fits this JSON schema, and with nothing else:"
        assert f'user:\nGo.\n\n{words}\n{{"type": "object"}}\n' in shown.getvalue()

    def test_costs_nothing(self) -> None:
        """A person's reply is free."""
        reply = asyncio.run(Human(stdin=io.StringIO("x"), stdout=io.StringIO()).aask(ASK))
        assert (reply.text, reply.model, reply.usage.cost_usd) == ("x", "human", 0.0)

    @pytest.mark.parametrize("text", ["", "\n \n"])
    def test_end_of_input(self, text: str) -> None:
        """An input that ends before anything was typed is an error of the model."""
        with pytest.raises(ModelError, match=r"human: The input ended before a reply was typed\."):
            typed(text)

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
    def test_in_a_terminal(self) -> None:
        """In a real terminal the prompt is shown and what is typed there is read."""
        master, slave = os.openpty()
        with open(slave, "r+b", buffering=0) as raw, os.fdopen(os.dup(slave), "w") as out:  # noqa: PTH123  # a descriptor
            os.write(master, b"one\ntwo\n\n")
            stdin = io.TextIOWrapper(raw)
            assert Human(stdin=stdin, stdout=out).ask(ASK).text == "one\ntwo"
            shown = b""
            while b"end with an empty line> " not in shown:  # a read ends where a write ended, or anywhere
                shown += os.read(master, 4096)
            assert b"Be brief." in shown
        os.close(master)
