"""DOT, SVG and PNG, as the real Graphviz reads and lays them out."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Tree

import pytest
from awkward import MARKS, NAMES, Awkward
from hypothesis import given, settings
from hypothesis import strategies as st
from sketches import Refine, Rescue

from machines import TryAgain
from tinysmith import Agent, Halt
from tinysmith._shown import escaped, one_line
from tinysmith.drawing import Arrow, Box, Mark, Scene, as_text, draw, mimebundle, render, scene_of
from tinysmith.drawing._dot import dot_of
from tinysmith.drawing._graphviz import dot, is_there
from tinysmith.errors import UsageError

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="there is no dot on the PATH")
SVG = "{http://www.w3.org/2000/svg}"


def svg(scene: Scene) -> Tree.Element:
    """A scene's SVG, read by an XML parser."""
    return Tree.fromstring(str(render(scene, "svg")))


def texts(group: Tree.Element) -> list[str]:
    """The lines of text in a group."""
    return [" ".join((text.text or "").split()) for text in group.findall(f"{SVG}text")]


def groups(picture: Tree.Element, kind: str) -> list[Tree.Element]:
    """The groups of a class."""
    return [group for group in picture.iter(f"{SVG}g") if kind in group.get("class", "").split()]


def spaced(text: str) -> str:
    """A text in one line of at most 120 characters, with one space between its words."""
    return " ".join(one_line(text, 120).split())


class TestDot:
    def test_is_readable(self) -> None:
        """The source says in plain words what each node and edge is."""
        source = str(draw(Rescue, "dot"))
        assert '    eye_ [label="eye", shape="polygon"' in source
        assert '    accepted_ [label="✓ accepted", shape="ellipse", peripheries="2"' in source
        assert 'eye_ -> accepted_ [label="\u00a0\u00a01. is_good\u00a0\u00a0", tooltip=' in source
        assert 'style="dashed", tooltip="taken when what writer asked for has failed for good"]' in source
        assert " id=" not in source

    def test_edges_between_the_same_nodes_are_kept_apart(self) -> None:
        """An edge without a label has a blank one where another edge joins the same nodes, either way round."""
        lines = str(draw(TryAgain, "dot")).splitlines()
        assert '    player_ -> shell_ [label="\u00a0\u00a0"]' in lines
        assert "    writer_ -> vote_ []" in str(draw(Rescue, "dot")).splitlines()

    def test_marks_are_told_by_line_too(self) -> None:
        """What is missing has a dashed border, and dots for an edge; a failure edge stays dashed."""
        boxes = (Box("a", Agent, mark=Mark(tone="missing")), Box("b", Halt, mark=Mark(tone="missing")))
        arrows = (
            Arrow("a", "b", mark=Mark(tone="removed")),
            Arrow("a", "b", dashed=True, mark=Mark(tone="missing")),
        )
        lines = str(render(Scene("S", "a", boxes, arrows), "dot")).splitlines()
        assert ['style="filled,rounded,dashed"' in lines[6], 'style="filled,dashed"' in lines[7]] == [True, True]
        assert ['style="dotted"' in lines[8], 'style="dashed"' in lines[9]] == [True, True]

    @needs_dot
    def test_real_dot_reads_what_is_awkward(self) -> None:
        """Graphviz reads every name, guard and docstring of the awkward strategy, and finds no other node."""
        read = json.loads(dot(str(draw(Awkward, "dot")), "json"))
        labels = [node["label"] for node in read["objects"]]
        assert len(labels) == len(NAMES) + 2  # the halt, and the start
        assert len(read["edges"]) == 2 * len(NAMES) + 1


@needs_dot
class TestSvg:
    @settings(max_examples=25)
    @given(parts=st.lists(st.text(max_size=30) | st.sampled_from(MARKS), min_size=6, max_size=6))
    def test_any_text_is_shown_as_it_is(self, parts: list[str]) -> None:
        """Whatever names, labels, badges and docstrings are, the SVG is sound XML that shows them and no more."""
        name, label, badge, said, title, caption = parts
        boxes = (Box(f"b{name}", Agent, tooltip=said, mark=Mark(badge)), Box("end", Halt))
        arrows = (Arrow(f"b{name}", "end", label, tooltip=said, mark=Mark(badge, tone="missing")),)
        picture = svg(Scene(title, f"b{name}", boxes, arrows, caption))
        box, arrow = groups(picture, "agent")[0], groups(picture, "missing")[0]
        assert texts(box) == list(filter(None, map(spaced, (f"b{name}", badge))))
        assert texts(arrow) == list(filter(None, map(spaced, (label, f"✗ {badge}"))))
        assert {element.tag for element in picture.iter()} <= {
            f"{SVG}{tag}" for tag in ("svg", "g", "title", "polygon", "path", "ellipse", "text")
        }
        for group in (box, arrow):
            assert group.findtext(f"{SVG}title", "") == escaped(said)

    def test_what_is_awkward_is_shown_as_it_is(self) -> None:
        """Every name and guard of the awkward strategy is shown, and none as something else."""
        picture = Tree.fromstring(str(draw(Awkward, "svg")))
        shown = [text for group in groups(picture, "edge") for text in texts(group)]
        assert sorted(text for text in shown if text != "2. otherwise") == sorted(
            spaced(f"1. {MARKS[place % len(MARKS)]}") for place in range(len(NAMES))
        )

    def test_guards_are_told_where_they_are_pointed_at(self) -> None:
        """A tooltip lies on the label and on a wide line that is not seen; kinds and tones are classes."""
        picture = Tree.fromstring(str(draw(Rescue, "svg", at="eye")))
        good = next(group for group in groups(picture, "edge") if texts(group) == ["1. is_good"])
        assert good.findtext(f"{SVG}title") == "The last line is the word good."
        wide = [path for path in good.findall(f"{SVG}path") if path.get("stroke-opacity") == "0"]
        assert [path.get("stroke-width") for path in wide] == ["14"]
        assert texts(groups(picture, "current")[0]) == ["eye", "▶"]
        assert len(groups(picture, "halt")) == 3
        assert {text for group in groups(picture, "otherwise") for text in texts(group)} == {"2. otherwise"}

    def test_the_ground_is_opaque(self) -> None:
        """The picture lies on white, so that it can be read on a dark page too."""
        picture = Tree.fromstring(str(draw(Rescue, "svg")))
        ground = picture.find(f"{SVG}g/{SVG}polygon")
        assert ground is not None
        assert ground.get("fill") == "#ffffff"

    def test_png_is_bytes(self) -> None:
        """PNG is what begins as PNG begins."""
        picture = draw(Rescue, "png")
        assert isinstance(picture, bytes)
        assert picture.startswith(b"\x89PNG\r\n")


class TestGraphviz:
    def test_its_package_is_named_where_it_is_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where there is no dot, one sentence names the package and the formats that need none."""
        monkeypatch.setenv("PATH", str(tmp_path))
        assert not is_there()
        with pytest.raises(
            UsageError, match=r"png needs Graphviz.* Install the package graphviz .*mermaid, text or dot"
        ):
            draw(Rescue, "png")

    @needs_dot
    def test_its_complaint_is_told_in_one_line(self) -> None:
        """What dot says of a source that it cannot read is told in one line."""
        with pytest.raises(UsageError, match="ended with code 1 and said: Error: <stdin>: syntax error") as caught:
            dot("digraph {\n[[[\n", "svg")
        assert "\n" not in str(caught.value)

    def test_its_silence_is_told(self, dot_that: Callable[[str], None]) -> None:
        """A dot that fails without a word is told by its exit code."""
        dot_that("exit 3")
        with pytest.raises(UsageError, match="ended with code 3 and said: nothing"):
            dot("digraph {}", "svg")

    def test_it_may_take_so_long(self, dot_that: Callable[[str], None]) -> None:
        """A dot that does not end is ended."""
        dot_that("kill -STOP $$")
        with pytest.raises(UsageError, match=r"has not finished after 0\.2 s"):
            dot("digraph {}", "svg", timeout_s=0.2)


class TestRecorded:
    @pytest.fixture
    def recorded(self, dot_that: Callable[[str], None]) -> None:
        """A dot that says what the real one once said of Refine, for machines without Graphviz."""
        recording = Path(__file__).parent / "refine.svg"
        dot_that(f"cat {shlex.quote(str(recording))}")

    def test_what_dot_says_is_gone_on_with(self, recorded: None) -> None:
        """What dot says becomes SVG with tooltips, the page, what notebooks show, and bytes."""
        picture = Tree.fromstring(str(draw(Refine, "svg")))
        good = next(group for group in groups(picture, "edge") if texts(group) == ["1. is_good"])
        assert good.findtext(f"{SVG}title") == "The last line is the word good."
        assert [len(groups(picture, kind)) for kind in ("agent", "halt", "otherwise", "start")] == [2, 2, 1, 2]
        assert "The last line is the word good." in str(draw(Refine, "html"))
        assert mimebundle(Refine)["image/svg+xml"] == draw(Refine, "svg")
        with pytest.raises(UsageError, match="'png' is no text"):
            as_text(Refine, "png")

    @needs_dot
    def test_dot_still_says_so(self) -> None:
        """The real dot speaks as the recorded one does, whatever its version and its fonts are."""
        told = dot(dot_of(scene_of(Refine), addressed=True), "svg").decode()
        recording = (Path(__file__).parent / "refine.svg").read_text(encoding="utf-8")
        tags = r"<(?:g|title|path|polygon|ellipse|text)\b"
        assert re.findall(r'<g id="[^"]*" class="[^"]*"', told) == re.findall(
            r'<g id="[^"]*" class="[^"]*"', recording
        )
        assert re.findall(tags, told) == re.findall(tags, recording)
