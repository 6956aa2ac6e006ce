"""Pictures as text."""

from awkward import Awkward
from hypothesis import given
from hypothesis import strategies as st
from sketches import Refine

from tinysmith import Agent, Halt
from tinysmith.coverage import coverage_of
from tinysmith.drawing import Arrow, Box, Mark, Scene, draw, outline, render


class TestOutline:
    def test_marks_are_told_in_words(self) -> None:
        """Where there are marks every node and every edge has a line, with what the overlay says of it."""
        assert str(draw(Refine, "text", at="critic", coverage=coverage_of(Refine))).splitlines() == [
            "Refine: 0 % of nodes, edges and guard outcomes seen, 12 missing; at critic",
            "writer [✗ never]",
            "  → critic [✗ never]",
            "critic [▶ never here]",
            "  → accepted (is_good) [✗ never tried]",
            "  → writer (has_left) [✗ never tried]",
            "  → gave_up (otherwise) [✗ never]",
            "✓ accepted [✗ never]",
            "gave_up [✗ never]",
        ]

    def test_awkward_names_stay_on_their_line(self) -> None:
        """Names and guards of any text leave the outline a line a node, with nothing that a terminal obeys."""
        lines = outline(Awkward).splitlines()
        assert [line.partition(" → ")[0] for line in lines] == list(Awkward.__plan__.hops)[:-1]
        assert all(line.isprintable() for line in lines)

    @given(parts=st.lists(st.text(max_size=30), min_size=4, max_size=4))
    def test_any_text_is_safe(self, parts: list[str]) -> None:
        """Whatever the texts of a marked scene are, it has a line a part, and nothing that a terminal obeys."""
        name, label, badge, title = parts
        boxes = (Box(f"b{name}", Agent, mark=Mark(badge, tone="removed")), Box("end", Halt))
        text = str(render(Scene(title, f"b{name}", boxes, (Arrow(f"b{name}", "end", label),), "caption"), "text"))
        assert len(text.split("\n")) == 5
        assert text.replace("\n", "").replace("\t", "").isprintable()
