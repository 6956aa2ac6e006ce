"""Conversations made shorter."""

from hypothesis import given
from hypothesis import strategies as st

from tinysmith import Reply
from tinysmith._shortening import shortened
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
