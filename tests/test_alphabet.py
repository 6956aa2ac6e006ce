"""What a search answers each node with."""

from collections.abc import Mapping

import pytest
from attrs import evolve, field, frozen
from attrs.validators import gt
from hypothesis import given
from hypothesis import strategies as st
from sketches import Eye, Pad, Refine, Rescue, Round, Writer

from tinysmith import Failed, Halt, Observation, Reply, Result, Strategy, Tool, Typed
from tinysmith._alphabet import MOST_VALUES, MOST_WORDS, SEEN, Alphabet, addressed, alphabet, variants, words
from tinysmith._generated import CannotGenerateError
from tinysmith.checks import check
from tinysmith.errors import UsageError
from tinysmith.messages import Ask
from tinysmith.strategy import plan_of

OVERFLOW = Failed("context_overflow", "The prompt is too long.")


class Silent(Writer):
    """Shows no samples."""

    samples = ()  # type: ignore[assignment]  # its base shows some


@frozen
class Verdict:
    """A number above zero."""

    score: int = field(validator=gt(0))


class Judge(Typed[Pad, Verdict]):
    """Gives a number."""

    def prompt(self, pad: Pad, /) -> str:
        return "judge"

    def accept(self, pad: Pad, reply: Verdict, /) -> Pad:
        return pad


class Sampled(Judge):
    """Shows what it hopes for."""

    samples = ('{"score": 7}',)


class Court(Strategy[Pad]):
    """Agents of several sorts."""

    silent = Silent()
    judge = Judge()
    sampled = Sampled()
    done = Halt()

    initial = silent
    edges = (silent.to(judge), judge.to(sampled), sampled.to(done))


class Gate(Eye):
    """Looks whether it is open."""

    def observe(self, pad: Pad, seen: Observation, /) -> Pad:
        """Says whether it is open."""
        return evolve(pad, is_over=seen.text in ("shut", "open"), lines=())


def is_passed(pad: Pad) -> bool:
    """It is "passed"."""
    return (
        "PASSED" in pad.lines or "a text that is so long that nobody waits for it, in all likelihood" in pad.lines
    )


def is_wordy(pad: Pad) -> bool:
    return pad.lines[-1:] in (("a",), ("b",), ("c",), ("d",), ("e",), ("f",), ("g",))


class Waiting(Strategy[Pad]):
    """A gate is waited for."""

    gate, done = Gate(), Halt()
    initial = gate
    edges = (gate.to(done, when=is_passed), gate.to(gate))


class Wordy(Strategy[Pad]):
    """A guard knows many words."""

    gate, done = Gate(), Halt()
    initial = gate
    edges = (gate.to(done, when=is_wordy), gate.to(gate))


def of(strategy: type[Strategy[Pad]], **options: object) -> Alphabet:
    """A strategy's alphabet."""
    made: Alphabet = alphabet(plan_of(strategy), **options)  # type: ignore[arg-type]  # whatever is tested
    return made


class TestAlphabet:
    def test_by_default_it_is_what_the_nodes_say(self) -> None:
        """Samples answer agents, a few sights world nodes, values of the type tools; rules and halts nobody."""
        narrow = of(Round).narrow
        assert set(narrow) == {"writer", "vote", "eye", "fetch"}
        assert narrow["writer"] == (
            *map(Reply, ("good", "fair", "bad line")), Failed("server", "It failed."), OVERFLOW
        )  # fmt: skip
        assert narrow["eye"] == (*SEEN, Observation("good"), Failed("environment", "It failed."))
        assert 1 < len(narrow["fetch"]) <= MOST_VALUES + 1
        assert all(isinstance(event.value, str) for event in narrow["fetch"] if isinstance(event, Result))
        assert narrow["fetch"][-1] == Failed("tool", "It failed.")

    def test_the_world_shows_what_guards_and_observe_wait_for(self) -> None:
        """Texts in their code are among the sights: no docstrings, no names of fields, nothing long, not many."""
        sights = [
            event.text for event in of(Waiting).narrow["gate"][len(SEEN) :] if isinstance(event, Observation)
        ]
        assert sights == ["PASSED", "open", "shut"]
        assert len(words(plan_of(Wordy))) == MOST_WORDS

    def test_only_what_can_be_shortened_overflows(self) -> None:
        """An agent without `shorten` is not told that its prompt is too long."""
        narrow = of(Refine).narrow
        assert OVERFLOW in narrow["writer"]
        assert OVERFLOW not in narrow["critic"]

    def test_failures_can_be_left_out(self) -> None:
        """Without failures there are none, in neither alphabet."""
        letters = of(Rescue, has_failures=False)
        for events in (*letters.narrow.values(), *letters.wide.values()):
            assert not any(isinstance(event, Failed) for event in events)

    def test_walks_draw_from_careless_variants_too(self) -> None:
        """What walks draw from begins with the narrow one's answers, and has variants of every sample."""
        letters = of(Refine)
        texts = [event.text for event in letters.wide["writer"] if isinstance(event, Reply)]
        assert texts[:3] == ["good", "fair", "bad line"]
        assert set(texts) >= {*variants("good"), *variants("bad line")}

    def test_agents_without_samples_are_answered_somehow(self) -> None:
        """Plain agents hear a few words; typed ones values of their type, which the validators let pass."""
        narrow = of(Court).narrow
        assert narrow["silent"][:3] == (Reply("yes"), Reply("no"), Reply("Some text."))
        scores = [event.text for event in narrow["judge"] if isinstance(event, Reply)]
        assert scores
        assert all(text.startswith('{"score":') and "-" not in text for text in scores)
        assert narrow["sampled"][:2] == (Reply('{"score": 7}'), Failed("server", "It failed."))

    def test_what_is_given_is_all_there_is(self) -> None:
        """Given texts, values and events answer a node, in both alphabets."""
        late = Observation("late", truncated=True)
        letters = of(
            Round,
            replies={"writer": ["a", Reply("b"), Failed("timeout", "slow")], "vote": ("aye",)},
            observations={"eye": ["seen", late]},
            results={"fetch": [1, Result(2), None]},
            has_failures=False,
        )
        assert letters.narrow == letters.wide
        assert letters.narrow["writer"] == (Reply("a"), Reply("b"), Failed("timeout", "slow"))
        assert letters.narrow["vote"] == (Reply("aye"),)
        assert letters.narrow["eye"] == (Observation("seen"), late)
        assert letters.narrow["fetch"] == (Result(1), Result(2), Result(None))

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (
                {"replies": {"writr": ["a"]}},
                r"replies= names 'writr', which Round does not have so\. Did you mean w",
            ),
            ({"observations": {"writer": ["a"]}}, r"observations= names 'writer', which Round .* There is eye\."),
            ({"results": {"eye": [1]}}, r"results= names 'eye', which Round does not have so"),
            ({"replies": {"writer": "a"}}, r"What writer is answered with is a str\. Give a list of answers\."),
            ({"replies": {"writer": {"a": 1}}}, r"is a dict\. Give a list of answers\."),
            ({"results": {"fetch": 3}}, r"What fetch is answered with is a int\. Give a list"),
            ({"replies": {"writer": []}}, r"The list of what writer is answered with is empty\. Give one"),
            (
                {"replies": {"writer": [3]}},
                r"writer is answered with 3\. Give texts, or objects of Reply or Failed",
            ),
            ({"observations": {"eye": [Reply("a")]}}, r"eye is answered with Reply\(.*objects of Observation or"),
        ],
    )
    def test_what_does_not_fit_is_told(self, options: dict[str, object], said: str) -> None:
        """Wrong names, wrong kinds, empty lists and other nodes' events are refused in one sentence."""
        with pytest.raises(UsageError, match=said):
            of(Round, **options)

    def test_a_type_that_nothing_fits_is_told(self) -> None:
        """Where the validators let nothing pass, the message says what to give."""

        @frozen
        class Never:
            score: int

            def __attrs_post_init__(self) -> None:
                raise ValueError("never")

        class Hopeless(Typed[Pad, Never]):
            def prompt(self, pad: Pad, /) -> str:
                return "?"

            def accept(self, pad: Pad, reply: Never, /) -> Pad:
                return pad

        class Vain(Strategy[Pad]):
            hopeless = Hopeless()
            done = Halt()
            initial = hopeless
            edges = (hopeless.to(done),)

        said = r"No reply of hopeless could be generated, since .*: give some by replies=\{'hopeless': \[…\]\}\."
        with pytest.raises(CannotGenerateError, match=said):
            of(Vain)
        assert of(Vain, replies={"hopeless": ['{"score": 1}']}).narrow["hopeless"][0] == Reply('{"score": 1}')

    def test_a_tool_whose_results_cannot_be_made_is_told(self) -> None:
        """Where no result of a tool's type can be made, nothing is searched without any."""

        @frozen
        class Never:
            def __attrs_post_init__(self) -> None:
                raise AssertionError("never")

        class Fetching(Tool[Pad, Never]):
            def arguments(self, pad: Pad, /) -> Mapping[str, object]:
                return {}

            def receive(self, pad: Pad, result: Never, /) -> Pad:
                return pad

        class Fruitless(Strategy[Pad]):
            fetch = Fetching()
            done = Halt()
            initial = fetch
            edges = (fetch.to(done),)

        with pytest.raises(CannotGenerateError, match=r"No result of fetch .*: give some by results=\{'fetch'"):
            of(Fruitless)
        (finding,) = check(Fruitless).findings
        assert (finding.code, finding.level) == ("not-searched", "error")
        assert "results={'fetch': […]}" in finding.problem


class TestAddressed:
    def test_a_seat_is_named(self) -> None:
        """What answers a seat names it; what answers the only request need not."""
        events = (Reply("a"), Failed("server", "b"))
        assert addressed(events, Ask((), id="critic", node="critic")) == events
        assert [event.answers for event in addressed(events, Ask((), id="vote[1]", node="vote"))] == [
            "vote[1]"
        ] * 2


class TestVariants:
    @given(st.text(min_size=1, max_size=20))
    def test_they_are_what_a_careless_model_says(self, text: str) -> None:
        """Cut off, lengthened, doubled, in another case, talked around: each of these is among them."""
        careless = variants(text)
        assert (text[:-1] in careless) == (len(text) > 1)
        assert {f"{text} 2", f"{text}\n{text}", text.upper(), text.lower()} <= set(careless)
        assert any(text in other and len(other) > len(text) + 10 for other in careless)
