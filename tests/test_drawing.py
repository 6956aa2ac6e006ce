"""Pictures, drawn from the declaration that runs: formats, f-strings and notebooks."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from IPython.core.formatters import DisplayFormatter
from sketches import Rescue
from strategies_for_cli import Say

from machines import CoinflipPoet, TryAgain
from tinysmith import Scripted, Strategy, run
from tinysmith.drawing import FORMATS, draw, mermaid, outline
from tinysmith.errors import UsageError

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="there is no dot on the PATH")


class TestMermaid:
    def test_every_kind_has_its_shape(self) -> None:
        """Kinds of node have shapes, a good halt a mark, failure edges are dashed, names get an underscore."""
        assert mermaid(Rescue).splitlines() == [
            "flowchart TD",
            "    start(( )) --> writer_",
            '    writer_("writer")',
            '    vote_[["vote"]]',
            '    eye_[/"eye"/]',
            '    fetch_{{"fetch"}}',
            '    count_["count"]',
            '    accepted_(["✓ accepted"])',
            '    gave_up_(["gave_up"])',
            '    rescued_(["rescued"])',
            "    writer_ --> vote_",
            '    writer_ -. "failed" .-> count_',
            "    vote_ --> eye_",
            '    vote_ -. "failed" .-> count_',
            '    eye_ -- "1. is_good" --> accepted_',
            '    eye_ -- "2. otherwise" --> fetch_',
            '    eye_ -. "failed" .-> rescued_',
            "    fetch_ --> count_",
            '    fetch_ -. "failed" .-> count_',
            '    count_ -- "1. has_left" --> writer_',
            '    count_ -- "2. otherwise" --> gave_up_',
        ]

    def test_guards_stand_on_the_arrows_in_their_order(self) -> None:
        """Guards stand on the arrows, numbered in the order in which they are tried."""
        picture = mermaid(TryAgain())
        order = ["1. is_solved", "2. is_over", "3. has_turns_left", "4. otherwise"]
        places = [picture.index(f'"{label}"') for label in order]
        assert places == sorted(places)
        assert "otherwise" not in mermaid(CoinflipPoet)


class TestOutline:
    def test_a_line_a_node(self) -> None:
        """The outline has a line for each node that edges leave, failure edges last."""
        lines = outline(Rescue).splitlines()
        assert lines[0] == "writer → vote, count (failed)"
        assert lines[2] == "eye → accepted (is_good), fetch (otherwise), rescued (failed)"
        assert len(lines) == 5


class TestDraw:
    def test_a_class_draws_itself(self) -> None:
        """`Strategy.draw` draws the class, Mermaid where no format is named."""
        assert Rescue.draw() == mermaid(Rescue) == Rescue().draw("mermaid")
        assert Rescue.draw("text") == outline(Rescue)

    def test_an_unknown_format_is_refused(self) -> None:
        """For a wrong name of a format near ones are offered."""
        with pytest.raises(UsageError, match=r"There is no format 'svgg'. Did you mean svg\?"):
            draw(Rescue, "svgg")

    @needs_dot
    def test_formats_are_what_they_say(self) -> None:
        """PNG is bytes, all other formats text."""
        assert FORMATS == ("mermaid", "text", "dot", "svg", "png", "html")
        assert [type(draw(Rescue, name)) for name in FORMATS] == [str, str, str, str, bytes, str]


class TestFormat:
    def test_an_f_string_holds_the_picture(self) -> None:
        """A strategy formats as its picture in a format of text."""
        assert f"{Rescue():mermaid}" == mermaid(Rescue)
        assert f"{Rescue():text}" == outline(Rescue)

    def test_an_empty_spec_is_what_it_always_was(self) -> None:
        """Without a format an f-string holds what `str` gives."""
        strategy = Rescue()
        assert f"{strategy}" == str(strategy)

    @needs_dot
    def test_bytes_are_refused(self) -> None:
        """PNG is no text, and an f-string says so."""
        with pytest.raises(UsageError, match=r"'png' is no text. Call draw\('png'\)"):
            f"{Rescue():png}"


def shown(thing: object) -> dict[str, Any]:
    """What IPython would show of a thing."""
    data, _ = DisplayFormatter().format(thing)  # type: ignore[no-untyped-call]  # IPython types few of its methods
    return dict(data)


class TestNotebook:
    def test_a_class_and_an_object_show_themselves(self) -> None:
        """IPython shows a strategy's class, and an object of it, as text and as Mermaid."""
        assert shown(Rescue())["text/plain"] == outline(Rescue)
        assert shown(Rescue)["text/plain"] == "sketches.Rescue"  # as IPython has it of every class
        for thing in (Rescue, Rescue()):
            data = shown(thing)
            assert data["text/vnd.mermaid"] == mermaid(Rescue)
            assert data["text/markdown"] == f"```mermaid\n{mermaid(Rescue)}```\n"

    def test_a_run_shows_its_path(self) -> None:
        """IPython shows a run as its strategy with the path painted."""
        ended = run(Say(), model=Scripted(["a note"]))
        assert "writer [×1]\n  → count [×1]" in shown(ended)["text/plain"]
        assert 'writer_("writer<br/>×1")' in shown(ended)["text/vnd.mermaid"]
        assert shown(evolve(ended, declared=None))["text/plain"].startswith("Run(strategy='Say'")

    @needs_dot
    def test_there_is_svg_where_there_is_dot(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The SVG is there if Graphviz is, and nothing fails if it is not."""
        assert shown(Rescue)["image/svg+xml"].startswith("<svg ")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "image/svg+xml" not in shown(Rescue)

    def test_a_base_class_shows_its_name(self) -> None:
        """`Strategy` itself has no nodes to show."""
        assert shown(Strategy) == {"text/plain": "tinysmith.strategy.Strategy"}
