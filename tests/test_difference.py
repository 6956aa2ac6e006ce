"""tinysmith/difference.py: in what two strategies differ."""

import pickle
import re
from functools import partial
from pathlib import Path
from typing import Any, Literal, Optional

import pytest
from attrs import Factory, frozen
from hypothesis import given
from hypothesis import strategies as st
from sketches import Once, Refine, Rescue, Round, Spin, Watched

import machines
from tinysmith import FrozenDict, Halt, Rule, Strategy
from tinysmith.cli._load import load_strategy
from tinysmith.difference import Change, diff
from tinysmith.drawing import FORMATS
from tinysmith.errors import UsageError

SKETCHES = (Path(__file__).parent / "sketches.py").read_text(encoding="utf-8")
STARTS_AT_CRITIC = "initial = critic\n    edges = (\n        writer.to(critic)"
PLACES = "    places: tuple[str | None, ...] = ()\n"
GALLERY: list[Any] = [getattr(machines, name) for name in machines.__all__]


@pytest.fixture
def changed(tmp_path: Path) -> Any:
    """A function that loads a sketch from the source of all, in which texts were replaced."""

    def load(name: str, *replaced: tuple[str, str]) -> Any:
        source = SKETCHES
        for old, new in replaced:
            assert old in source
            source = source.replace(old, new)
        path = tmp_path / f"sketches{len(list(tmp_path.iterdir()))}.py"
        path.write_text(source, encoding="utf-8")
        return load_strategy(f"{path}:{name}")

    return load


def lines(before: Any, after: Any) -> list[str]:
    """The text of a difference without its first two lines."""
    return str(diff(before, after)).splitlines()[2:]


class TestNoDifference:
    @pytest.mark.parametrize("strategy", [*GALLERY, Refine, Rescue])
    def test_with_itself(self, strategy: Any) -> None:
        """A strategy does not differ from itself, be it a class or an object, and it is said so."""
        found = diff(strategy, strategy())
        assert (bool(found), str(found), found.changes) == (False, "no difference", ())
        assert found.scene.caption == "no difference"
        assert not found.scene.is_marked

    def test_with_its_copy(self, changed: Any) -> None:
        """The same source in another module, with other comments and line breaks, does not differ."""
        assert not diff(Rescue, changed("Rescue"))
        assert not diff(
            Rescue, changed("Rescue", ("\n\n\n", "\n\n\n\n# nothing\n"), ("A round is left.", "Some."))
        )


class TestText:
    def test_reads_as_a_unified_diff(self) -> None:
        """The text names both, and then every difference in a line of its own, with its sign."""
        assert str(diff(Once, Refine)).splitlines() == [
            "--- Once",
            "+++ Refine",
            "~ method brief",
            "~ node writer: class Brief instead of Writer; shorten changed",
            "+ node critic (Agent)",
            "+ halt accepted (Halt)",
            "+ halt gave_up (Halt)",
            "- halt done (Halt)",
            "+ edge writer → critic",
            "- edge writer → done",
            "+ edge critic → accepted when is_good",
            "+ edge critic → writer when has_left",
            "+ edge critic → gave_up otherwise",
        ]

    def test_names_alike(self, changed: Any) -> None:
        """Strategies of one name are told apart by their modules."""
        other = changed("Spin", ("initial = count", "initial = count  # here"))
        assert diff(Spin, other).before == "sketches.Spin"
        assert re.fullmatch(r"sketches0_\w+\.Spin", diff(Spin, other).after)

    def test_guards(self, changed: Any) -> None:
        """A guard in the place of another, and one with another body, are changes of one edge."""
        assert lines(Refine, changed("Refine", ("to(accepted, when=is_good)", "to(accepted, when=is_over)"))) == [
            "~ edge critic → accepted: when is_over instead of is_good"
        ]
        assert lines(Refine, changed("Refine", ("pad.left > 0", "pad.left > 1"))) == [
            "~ edge critic → writer: has_left has another body"
        ]
        assert lines(
            Refine,
            changed(
                "Refine",
                ("critic.to(accepted, when=is_good)", "critic.to(accepted)"),
                ("        critic.to(writer, when=has_left),\n        critic.to(gave_up),\n", ""),
                ("writer.to(critic),", "writer.to(gave_up, when=is_over), writer.to(critic),"),
            ),
        ) == [
            "+ edge writer → gave_up when is_over",
            "~ edge critic → accepted: when otherwise instead of is_good",
            "- edge critic → writer when has_left",
            "- edge critic → gave_up otherwise",
        ]

    def test_order(self, changed: Any) -> None:
        """Edges that are tried in another order are told at their node, with both orders."""
        found = changed(
            "Refine",
            ("critic.to(accepted, when=is_good),", "critic.to(writer, when=has_left),  # 1"),
            ("critic.to(writer, when=has_left),\n", "critic.to(accepted, when=is_good),\n"),
        )
        assert lines(Refine, found) == [
            "~ order at critic: is_good, has_left, otherwise → has_left, is_good, otherwise"
        ]

    def test_failure_edges(self, changed: Any) -> None:
        """Failure edges are told as such; one that leads elsewhere is another edge."""
        assert lines(Round, Rescue)[1:3] == ["+ edge writer → count on failure", "+ edge vote → count on failure"]
        found = changed(
            "Rescue", ("on_failure(rescued)", "on_failure(Round.gave_up)"), ("    rescued = Halt()\n", "")
        )
        assert lines(Rescue, found) == [
            "- halt rescued (Halt)",
            "+ edge eye → gave_up on failure",
            "- edge eye → rescued on failure",
        ]

    def test_nodes(self, changed: Any) -> None:
        """Nodes of another class, of another kind, or with changed methods are told as such."""
        assert lines(Watched, changed("Watched", ('f"{seen.reward:g}"', '"x"'))) == ["~ node eye: observe changed"]
        assert lines(Spin, changed("Spin", ("count = Count()", "count = Writer()"))) == [
            "~ node count: Agent instead of Rule"
        ]
        renamed = changed("Spin", ("class Count(", "class Tick("), ("Count()", "Tick()"))
        assert lines(Spin, renamed) == ["~ node count: class Tick instead of Count"]

    def test_halts(self, changed: Any) -> None:
        """A halt that is a success now, or no more, is told so."""
        found = changed("Refine", ("accepted = Halt(success=True)", "accepted = Halt()"))
        assert lines(Refine, found) == ["~ halt accepted: no success any more"]
        assert lines(found, Refine) == ["~ halt accepted: a success now"]

    def test_initial(self, changed: Any) -> None:
        """Another initial node is told."""
        found = changed("Refine", ("initial = writer\n    edges = (\n        writer.to(critic)", STARTS_AT_CRITIC))
        assert lines(Refine, found) == ["~ initial writer: it is critic now"]

    def test_boards(self, changed: Any) -> None:
        """Of a board, fields that were added, removed, retyped or given another default are told, and its name."""
        found = changed(
            "Spin",
            ("    seats: int = 2\n", f"{PLACES}    seats: int = field(default=2, converter=int)\n"),
            ("    left: int = 0\n", "    left: float = 0.0\n"),
            ("from attrs import evolve, frozen", "from attrs import evolve, field, frozen"),
        )
        assert lines(Spin, found) == [
            "~ field left: int = 0 → float = 0.0",
            "+ field places: tuple[str | None, ...] = ()",
            "~ field seats: other validators, converters or arguments",
        ]
        assert "- field places: tuple[str | None, ...] = ()" in lines(found, Spin)
        assert lines(Spin, changed("Spin", ("Pad", "Sheet")))[0] == "~ board Pad: it is Sheet now"

    def test_fields(self) -> None:
        """Types are written without modules, required fields without a default, factories by their names."""
        assert lines(Plain, Rich) == [
            "~ board Nothing: it is Everything now",
            "+ field needed: bytes",
            "+ field mode: Literal['fast', 2] = 'fast'",
            "+ field point: Point = Point(2)",
            "+ field maybe: Point | None = None",
            "+ field pair: tuple[int, str] = (1, 'a')",
            "+ field table: FrozenDict[str, float] = FrozenDict()",
            "+ field partly: int = a factory()",
            "~ method Everything.largest",
        ]
        assert lines(Rich, Plain)[1] == "- field needed: bytes"

    def test_methods(self, changed: Any) -> None:
        """A method of the strategy itself, such as brief, is told."""
        assert lines(Refine, changed("Refine", ("left=1)", "left=2)"))) == ["~ method brief"]

    def test_no_strategy(self) -> None:
        """What is no strategy cannot be compared."""
        with pytest.raises(UsageError, match="is no strategy"):
            diff(Refine, 3)  # type: ignore[arg-type]  # the mistake is meant


@frozen
class Nothing:
    """A board without fields."""


@frozen
class Point:
    x: int = 1


@frozen
class Everything:
    """A board with fields of many types."""

    needed: bytes
    mode: Literal["fast", 2] = "fast"
    point: Point = Point(2)
    maybe: Optional[Point] = None  # noqa: UP045  # both ways to write it are meant
    pair: tuple[int, str] = (1, "a")
    table: FrozenDict[str, float] = Factory(FrozenDict)
    partly: int = Factory(partial(int, 3))

    @property
    def largest(self) -> int:
        """The largest."""
        return self.partly


class Pass(Rule[Any]):
    def apply(self, board: Any, /) -> Any:
        return board


class Plain(Strategy[Nothing]):
    """A rule over nothing."""

    rest = Pass()
    done = Halt()
    initial = rest
    edges = (rest.to(done),)


class Rich(Strategy[Everything]):
    """The same over everything."""

    rest = Plain.rest
    done = Plain.done
    initial = rest
    edges = (rest.to(done),)


class TestData:
    def test_changes(self) -> None:
        """A difference is data: what is added, removed or changed, of what kind, its name and details."""
        found = diff(Round, Rescue)
        assert found.changes[:2] == (
            Change("added", "halt", "rescued", "(Halt)"),
            Change("added", "edge", "writer → count", "on failure"),
        )
        assert bool(found)
        assert pickle.loads(pickle.dumps(found)) == found

    @given(st.sampled_from([*GALLERY, Refine, Round, Rescue]), st.sampled_from([*GALLERY, Once, Spin, Watched]))
    def test_backwards(self, before: Any, after: Any) -> None:
        """What one direction adds the other one removes, and what changes in one changes in the other."""
        there, back = diff(before, after).changes, diff(after, before).changes
        for sort, opposite in (("added", "removed"), ("removed", "added"), ("changed", "changed")):
            assert {(c.what, c.name) for c in there if c.sort == sort and c.what not in LED} == {
                (c.what, c.name) for c in back if c.sort == opposite and c.what not in LED
            }


LED = {"board", "initial", "method"}
"""What is named as the first strategy names it."""


class TestPicture:
    def test_marks(self) -> None:
        """Nodes and edges are marked as added, removed or changed, each with a sign, and keep their order."""
        scene = diff(Once, Refine).scene
        boxes = {box.name: box.mark for box in scene.boxes}
        assert {name: mark.tone for name, mark in boxes.items()} == {
            "writer": "changed",
            "critic": "added",
            "accepted": "added",
            "gave_up": "added",
            "done": "removed",
        }
        assert boxes["writer"].badge == "class Brief instead of Writer; shorten changed"
        assert [(arrow.source, arrow.target, arrow.mark.tone, arrow.order) for arrow in scene.arrows[:3]] == [
            ("writer", "critic", "added", 0),
            ("writer", "done", "removed", 0),
            ("critic", "accepted", "added", 1),
        ]
        gone = diff(Refine, Once).scene.arrows[-3:]
        assert [(arrow.label, arrow.mark.tone, arrow.order) for arrow in gone] == [
            ("is_good", "removed", 0),
            ("has_left", "removed", 0),
            ("otherwise", "removed", 0),
        ]
        assert (scene.title, scene.caption) == ("Once → Refine", "+ added, − removed, ≠ changed")  # noqa: RUF001

    def test_changed_edges(self, changed: Any) -> None:
        """A changed edge says what its guard was, or that it has another body; a node, that its order changed."""
        other = changed(
            "Refine", ("to(accepted, when=is_good)", "to(accepted, when=is_over)"), ("left > 0", "left > 1")
        )
        scene = diff(Refine, other).scene
        assert [arrow.mark.words for arrow in scene.arrows] == ["", "≠ was is_good", "≠ another body", ""]
        assert scene.title == "Refine"
        swapped = changed(
            "Refine",
            ("critic.to(accepted, when=is_good),", "critic.to(writer, when=has_left),  # 1"),
            ("critic.to(writer, when=has_left),\n", "critic.to(accepted, when=is_good),\n"),
        )
        assert diff(Refine, swapped).scene.boxes[1].mark.words == "≠ order changed"

    def test_another_start(self, changed: Any) -> None:
        """Where the run begins elsewhere, both nodes say so, and the picture begins at the new one."""
        found = changed("Refine", ("initial = writer\n    edges = (\n        writer.to(critic)", STARTS_AT_CRITIC))
        scene = diff(Refine, found).scene
        assert scene.initial == "critic"
        assert [box.mark.badge for box in scene.boxes[:2]] == ["initial no more", "initial now"]

    def test_failure_edges(self) -> None:
        """A failure edge is marked beside the edges that are tried."""
        scene = diff(Rescue, Round).scene
        assert [(a.target, a.mark.tone) for a in scene.arrows if a.dashed] == [
            ("count", "removed"),
            ("count", "removed"),
            ("rescued", "removed"),
            ("count", "removed"),
        ]

    @pytest.mark.parametrize("format_", FORMATS)
    def test_every_format(self, format_: str) -> None:
        """The picture is drawn in every format."""
        picture = diff(Round, Refine).draw(format_)
        assert picture[:4] == b"\x89PNG" if isinstance(picture, bytes) else "critic" in picture

    def test_is_mermaid_unless_asked(self) -> None:
        """The picture is a Mermaid flowchart, with signs in its labels, so that colour is not needed."""
        drawn = str(diff(Once, Refine).draw())
        assert 'critic_("critic<br/>+")' in drawn
        assert 'done_(["✓ done<br/>−"])' in drawn  # noqa: RUF001  # as it is drawn

    def test_no_such_format(self) -> None:
        """A format that there is not is refused."""
        with pytest.raises(UsageError, match="no format 'gif'"):
            diff(Once, Refine).draw("gif")
