"""Single values to JSON and back: what tests/test_codec*.py do not ask."""

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from tinysmith._codec import codec
from tinysmith._scalars import MisfitError, named


class TestNamed:
    def test_a_value_that_python_will_not_write_out(self) -> None:
        """A number too long for Python to write out is still told, and every message is cut."""
        assert named(10**5000) == "a huge int"
        assert len(named("x" * 500)) == 80
        with pytest.raises(MisfitError, match="it holds a huge int, which is no str"):
            codec(str).encode(10**5000, "it")


class TestTexts:
    @pytest.mark.parametrize("data", [["a", "b"], ["a"], [1, "b"], 3])
    def test_pieces_that_need_not_be_apart_are_refused(self, data: object) -> None:
        """Only a text that JSON would change is saved in pieces, so other pieces are no text."""
        with pytest.raises(MisfitError, match="which is no str"):
            codec(str).decode(data, "it")


class TestZones:
    @pytest.mark.parametrize("zone", [None, UTC, timezone(timedelta(hours=-3, minutes=30))])
    def test_fixed_ones_are_kept(self, zone: timezone | None) -> None:
        """A moment in a zone of a fixed offset comes back as it was."""
        for moment in (datetime(2026, 3, 29, 2, 30, tzinfo=zone), time(2, 30, tzinfo=zone)):
            kept = codec(type(moment))
            assert kept.decode(kept.encode(moment, "it"), "it") == moment

    @pytest.mark.parametrize("zone", [ZoneInfo("UTC"), timezone(timedelta(microseconds=1))])
    def test_others_are_refused(self, zone: ZoneInfo | timezone) -> None:
        """A named zone, or an offset of less than a second, would not come back, so it is refused."""
        with pytest.raises(MisfitError, match=r"it holds datetime.*the zone .* cannot be saved"):
            codec(datetime).encode(datetime(2026, 3, 29, tzinfo=zone), "it")
