"""Mermaid pictures, as the real Mermaid reads and renders them."""

from pathlib import Path

import pytest
from awkward import MARKS, NAMES, Awkward
from browser import Browser, Rendered, mermaid_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sketches import Rescue

from tinysmith import Agent, Halt
from tinysmith._shown import one_line
from tinysmith.drawing import Arrow, Box, Mark, Scene, mermaid, render, scene_of


def spaced(text: str) -> str:
    """A text as HTML shows it: runs of white space are one space, and what has no width is not seen."""
    return " ".join(text.replace("\u200b", "").split())


def shown(texts: list[str]) -> list[str]:
    """Texts as a picture shows them; what shows nothing is left out."""
    return [text for text in (spaced(one_line(text, 120)) for text in texts) if text]


class TestAwkward:
    @pytest.fixture
    def rendered(self, browser: Browser, mermaid_library: Path) -> Rendered:
        """The awkward strategy, rendered."""
        return mermaid_in(browser, mermaid_library, [mermaid(Awkward)])[0]

    def test_every_name_and_guard_is_shown_as_it_is(self, rendered: Rendered) -> None:
        """Mermaid parses what is awkward, and shows every node and guard by its own name."""
        assert rendered.error == ""
        assert rendered.nodes == [*NAMES, "over"]
        guards = shown([f"1. {MARKS[place % len(MARKS)]}" for place in range(len(NAMES))])
        assert [spaced(text) for text in rendered.edges if text.startswith("1. ")] == guards
        assert rendered.edges.count("2. otherwise") == len(NAMES)

    def test_nothing_breaks_out(self, rendered: Rendered) -> None:
        """No label becomes a script, a link, an image or a setting."""
        assert rendered.foreign == []

    def test_second_lines_are_shown_as_they_are(self, browser: Browser, mermaid_library: Path) -> None:
        """What Mermaid reads in labels of several lines alone, such as formulas and icons, is shown as it is."""
        boxes = tuple(Box(f"n{place}", Agent, mark=Mark(mark)) for place, mark in enumerate(MARKS))
        made = mermaid_in(browser, mermaid_library, [str(render(Scene("S", "n0", boxes, ()), "mermaid"))])[0]
        assert [spaced(text) for text in made.nodes] == shown_lines(*([f"n{n}", m] for n, m in enumerate(MARKS)))


class TestAnyText:
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(texts=st.lists(st.text(max_size=20) | st.sampled_from(MARKS), min_size=5, max_size=5))
    def test_is_shown_as_it_is(self, browser: Browser, mermaid_library: Path, texts: list[str]) -> None:
        """Whatever the names, labels, badges and captions are, Mermaid shows them and no more."""
        name, label, badge, title, caption = texts
        name = f"b{name}"
        boxes = (Box("a", Agent, mark=Mark(badge)), Box(name, Halt, success=True))
        scene = Scene(title, "a", boxes, (Arrow("a", name, label, mark=Mark(badge, tone="added")),), caption)
        made = mermaid_in(browser, mermaid_library, [str(render(scene, "mermaid"))])[0]
        assert (made.error, made.foreign) == ("", [])
        assert [spaced(text) for text in made.nodes] == shown_lines(["a", badge], [f"✓ {name}"])
        assert [spaced(text) for text in made.edges] == shown_lines([label, f"+ {badge}"])
        if caption:
            assert spaced(made.title) == spaced(one_line(f"{title}: {caption}", 120)).replace("<", "\u2039")


def shown_lines(*labels: list[str]) -> list[str]:
    """Labels of several lines as a picture shows them."""
    return [" ".join(shown(lines)) for lines in labels]


class TestStyle:
    def test_a_line_a_look(self) -> None:
        """Marked nodes and edges are coloured, by a line for each node and for each look of edges."""
        boxes = (Box("a", Agent, mark=Mark(tone="removed")), Box("b", Halt, mark=Mark("1 token", 1.0)))
        arrows = (Arrow("a", "b", mark=Mark("×1", tone="seen")), Arrow("a", "b", mark=Mark("×2", tone="seen")))
        lines = str(render(Scene("S", "a", boxes, arrows), "mermaid")).splitlines()
        assert lines[:3] == ["---", "config: {flowchart: {curve: monotoneY}}", "---"]
        assert lines[-3:] == [
            "    style a_ fill:#ffe5e3,color:#1f2328,stroke:#d1424b,stroke-width:2px,stroke-dasharray:5 4",
            "    style b_ fill:#f28c38,color:#1f2328,stroke:#c4620a,stroke-width:4px",
            "    linkStyle 1,2 stroke:#2c974b,stroke-width:2.5px",
        ]

    def test_a_plain_edge_among_marked_ones_stays_plain(self) -> None:
        """What no overlay speaks of is drawn as ever."""
        boxes = (Box("a", Agent), Box("b", Halt, mark=Mark(tone="current")))
        picture = str(render(Scene("S", "a", boxes, (Arrow("a", "b"),)), "mermaid"))
        assert "linkStyle" not in picture
        assert picture.count("style ") == 1

    def test_a_caption_is_the_title(self) -> None:
        """What the marks are about stands above the picture, also where there are no marks."""
        scene = Scene('A "b"', "a", (Box("a", Agent),), (), "nothing differs")
        lines = str(render(scene, "mermaid")).splitlines()
        assert lines[:4] == ["---", r'title: "A \u0022b\u0022\u003a nothing differs"', "---", "flowchart TD"]

    def test_plain_pictures_have_no_head(self) -> None:
        """A plain picture begins with the flowchart."""
        assert mermaid(Rescue).startswith("flowchart TD\n    start(( )) --> writer_\n")
        assert "style" not in mermaid(Rescue)
        assert scene_of(Rescue).caption == ""
