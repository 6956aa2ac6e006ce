"""Pictures, drawn from the declaration that runs."""

from attrs import frozen

from machines import CoinflipPoet, TryAgain
from tinysmith import Agent, Halt, Observation, Panel, Rule, Strategy, Tool, World
from tinysmith.drawing import mermaid, outline


@frozen
class Blank:
    """An empty board."""

    text: str = ""


class Ask(Agent[Blank]):
    def prompt(self, blank: Blank, /) -> str:
        return "go"

    def parse(self, blank: Blank, reply: str, /) -> Blank:
        return blank


class Vote(Panel[Blank]):
    def prompts(self, blank: Blank, /) -> tuple[str, ...]:
        return ("go",)

    def parse(self, blank: Blank, replies: object, /) -> Blank:
        return blank


class Look(World[Blank]):
    def action(self, blank: Blank, /) -> str:
        return "look"

    def observe(self, blank: Blank, seen: Observation, /) -> Blank:
        return blank


class Count(Tool[Blank, int]):
    def arguments(self, blank: Blank, /) -> dict[str, str]:
        return {}

    def receive(self, blank: Blank, result: int, /) -> Blank:
        return blank


class Tidy(Rule[Blank]):
    def apply(self, blank: Blank, /) -> Blank:
        return blank


class Every(Strategy[Blank]):
    """One node of each kind, one of them named with a word of Mermaid's own."""

    graph = Ask()
    vote = Vote()
    look = Look()
    count = Count()
    tidy = Tidy()
    end = Halt(success=True)
    lost = Halt()
    initial = graph
    edges = (
        graph.to(vote),
        graph.on_failure(lost),
        vote.to(look),
        look.to(count),
        count.to(tidy),
        tidy.to(end),
    )


class TestMermaid:
    def test_every_kind_has_its_shape(self) -> None:
        """Kinds of node have shapes, a good halt a mark, failure edges are dashed, names get an underscore."""
        assert mermaid(Every).splitlines() == [
            "flowchart TD",
            "    start(( )) --> graph_",
            '    graph_("graph")',
            '    vote_[["vote"]]',
            '    look_[/"look"/]',
            '    count_{{"count"}}',
            '    tidy_["tidy"]',
            '    end_(["✓ end"])',
            '    lost_(["lost"])',
            "    graph_ --> vote_",
            '    graph_ -. "failed" .-> lost_',
            "    vote_ --> look_",
            "    look_ --> count_",
            "    count_ --> tidy_",
            "    tidy_ --> end_",
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
        assert outline(Every).splitlines()[0] == "graph → vote, lost (failed)"
        assert outline(TryAgain).splitlines()[0] == "player → shell"
