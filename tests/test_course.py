"""What a run logs: a line a step, prompts and replies where they are wanted, and nothing that a terminal obeys."""

import asyncio
import logging

import pytest
from sketches import Look, Lookup, Once, Pad, Refine
from worlds import Echo, Says

from tinysmith import Ask, Limits, Scripted, arun, run
from tinysmith.errors import ServerError


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    """What was logged at a level."""
    assert {record.name for record in caplog.records} <= {"tinysmith", "asyncio"}
    return [
        record.getMessage() for record in caplog.records if (record.name, record.levelno) == ("tinysmith", level)
    ]


def _break(request: Ask) -> str:
    raise ServerError("It is down.\nVery.", model="m")


class TestInfo:
    def test_a_line_a_step(self, caplog: pytest.LogCaptureFixture) -> None:
        """At INFO every step is one line: where, which way and why, and what was said."""
        with caplog.at_level(logging.INFO, logger="tinysmith"):
            run(Refine(), Pad(left=2), model=Scripted(["line", "bad", "fair", "next", "good"]))
        assert lines(caplog, logging.INFO) == [
            "Refine step 1: writer → critic: line",
            "Refine step 2: critic ↺ asks again: bad",
            "Refine step 2: critic is told: Do not write 'bad'.",
            "Refine step 3: critic → writer (has_left): fair",
            "Refine step 4: writer → critic: next",
            "Refine step 5: critic → accepted (is_good): good",
            "Refine: over: accepted",
        ]
        assert lines(caplog, logging.DEBUG) == []

    def test_every_kind_of_event(self, caplog: pytest.LogCaptureFixture) -> None:
        """Observations, results and failures are told as replies are."""
        with caplog.at_level(logging.INFO, logger="tinysmith"):
            run(Look(), Pad(), model=Scripted([]), environment=Echo(), limits=Limits(max_steps=1))
            run(Lookup(), Pad())
            run(Once(), Pad(), model=Says(_break))
        assert lines(caplog, logging.INFO) == [
            "Look step 1: eye → eye (otherwise): did look 0",
            "Look: over: max_steps",
            """Lookup step 1: fetch → count → done (otherwise): "=[1, {'two': 2}]\"""",
            "Lookup: over: done",
            "Once step 1: writer ■ model_failed: server: m: It is down.…",
            "Once: over: model_failed",
        ]

    def test_nothing_that_a_terminal_obeys(self, caplog: pytest.LogCaptureFixture) -> None:
        """Control characters of a reply or an observation are written out."""
        with caplog.at_level(logging.DEBUG, logger="tinysmith"):
            run(Once(), Pad(), model=Scripted(["\x1b[2Jgone\r\N{RIGHT-TO-LEFT OVERRIDE}"]))
            run(Once(), Pad(), model=Scripted(["x"]), environment=Echo("\x1b[2J"))
        everything = "".join(lines(caplog, logging.INFO) + lines(caplog, logging.DEBUG))
        assert "\\x1b[2Jgone\\r\\u202e" in everything
        assert all(char == "\n" or char.isprintable() for char in everything)

    def test_unread_opening(self, caplog: pytest.LogCaptureFixture) -> None:
        """Where a board is given, what the environment shows first is recorded, and logged as unread."""
        with caplog.at_level(logging.INFO, logger="tinysmith"):
            result = run(Once(), Pad(), model=Scripted(["x"]), environment=Echo("Welcome."))
            run(Refine(), model=Scripted(["x"]), environment=Echo("Read."))
        assert result.opening == "Welcome."
        assert [line for line in lines(caplog, logging.INFO) if "opening" in line] == [
            "Once: unread opening: Welcome."
        ]


class TestDebug:
    def test_prompts_and_replies(self, caplog: pytest.LogCaptureFixture) -> None:
        """At DEBUG the whole prompt and the whole reply of every ask are told."""
        with caplog.at_level(logging.DEBUG, logger="tinysmith"):
            asyncio.run(arun(Refine(), Pad(left=1), model=Scripted(["one\ntwo", "good"])))
        assert lines(caplog, logging.DEBUG) == [
            "Refine step 1: prompt of writer:\nuser: Write line 0.",
            "Refine step 1: reply:\none\ntwo",
            "Refine step 2: prompt of critic:\nsystem: You are strict.\nuser: Judge 'one\\ntwo'.",
            "Refine step 2: reply:\ngood",
        ]

    def test_only_of_models(self, caplog: pytest.LogCaptureFixture) -> None:
        """What is no prompt and no reply adds nothing."""
        with caplog.at_level(logging.DEBUG, logger="tinysmith"):
            run(Lookup(), Pad())
        assert lines(caplog, logging.DEBUG) == []

    def test_where_something_outside_raised(self, caplog: pytest.LogCaptureFixture) -> None:
        """The traceback of what a model, an environment or a tool raised is kept for those who look."""
        with caplog.at_level(logging.DEBUG, logger="tinysmith"):
            run(Lookup(), Pad(), tools={"fetch": lambda: "no such arguments"})
        (line,) = [line for line in lines(caplog, logging.DEBUG) if line.startswith("fetch raised:\n")]
        assert "Traceback (most recent call last)" in line
        assert "TypeError" in line

    def test_a_key_in_what_was_raised_is_told_nowhere(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A key of the process's environment that a tool raises is in no error and in no log."""
        monkeypatch.setenv("MY_API_KEY", "sk-canary-0123456789")

        def leak(**_: object) -> None:
            raise RuntimeError("401 for Bearer sk-canary-0123456789")

        with caplog.at_level(logging.DEBUG, logger="tinysmith"):
            ended = run(Lookup(), Pad(), tools={"fetch": leak})
        assert ended.error is not None
        assert "Bearer <MY_API_KEY>" in ended.error.message
        assert "canary" not in ended.error.message + caplog.text


class TestSilence:
    def test_by_default(self, caplog: pytest.LogCaptureFixture) -> None:
        """Above INFO a run logs nothing."""
        with caplog.at_level(logging.WARNING, logger="tinysmith"):
            run(Once(), Pad(), model=Scripted(["x"]))
        assert [record for record in caplog.records if record.name == "tinysmith"] == []
