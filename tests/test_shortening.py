"""Conversations made shorter."""

from hypothesis import given
from hypothesis import strategies as st

from tinysmith import Reply
from tinysmith._shortening import plainer, shortened, without_rounds
from tinysmith.messages import Event

EVENTS = st.lists(st.sampled_from("abc"), max_size=12).map(lambda texts: tuple(map(Reply, texts)))


def texts(events: tuple[Event, ...]) -> str:
    """What the replies say, in a row."""
    return "".join(event.text for event in events if isinstance(event, Reply))


class TestShortened:
    @given(EVENTS, EVENTS)
    def test_nothing_more_can_be_left_out(self, events: tuple[Event, ...], needed: tuple[Event, ...]) -> None:
        """What is left still shows it, is in order, and shows it no longer without any one event."""

        def shows(some: tuple[Event, ...]) -> bool:
            return set(texts(needed)) & set(texts(events)) <= set(texts(some))

        fewer = shortened(events, shows)
        assert shows(fewer)
        at = iter(events)
        assert all(event in at for event in fewer)
        assert (
            not any(shows((*fewer[:place], *fewer[place + 1 :])) for place in range(len(fewer))) or len(events) < 2
        )

    def test_a_run_of_events_goes_at_once(self) -> None:
        """What can only be left out together is."""
        events = tuple(map(Reply, "aabx"))
        assert texts(shortened(events, lambda some: texts(some) in {"aabx", "bx"})) == "bx"


class TestWithoutRounds:
    @given(st.integers(1, 16), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3))
    def test_every_round_goes(self, size: int, count: int, before: int, after: int) -> None:
        """Rounds of up to sixteen turns go, each as a whole, although no part of one can be left out."""
        begin, end = tuple(range(before)), tuple(range(100, 101 + after))
        around = tuple(range(10, 10 + size))
        fits = {begin + around * times + end for times in range(count + 1)}
        assert without_rounds(begin + around * count + end, fits.__contains__) == begin + end

    @given(EVENTS)
    def test_the_last_turn_stays(self, events: tuple[Event, ...]) -> None:
        """It is what shows it."""
        assert without_rounds(events, lambda _some: True) == events[-1:]


class TestPlainer:
    def test_each_event_is_as_plain_as_it_can_be(self) -> None:
        """The first choice that still shows it takes an event's place; where none does, the event stays."""
        choices = (Reply("plain"), Reply("good"), Reply("other"))

        def shows(some: tuple[Event, ...]) -> bool:
            return some[1] == Reply("good") and some[2] == Reply("odd")

        events = (Reply("other"), Reply("good"), Reply("odd"))
        assert plainer(events, lambda _before: choices, shows) == (Reply("plain"), Reply("good"), Reply("odd"))

    def test_choices_depend_on_what_came_before(self) -> None:
        """What could follow is asked of the events so far, those that were made plain already."""
        asked: list[tuple[Event, ...]] = []

        def choices(before: tuple[Event, ...]) -> tuple[Event, ...]:
            asked.append(before)
            return (Reply("a"),)

        assert plainer((Reply("x"), Reply("y")), choices, lambda _some: True) == (Reply("a"), Reply("a"))
        assert asked == [(), (Reply("a"),)]
