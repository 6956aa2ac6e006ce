"""Packing: what was packed comes back exactly, long texts are said once, and any bytes are read or refused."""

import json
from collections.abc import Mapping
from contextlib import suppress
from enum import IntEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith.journal._packing import (
    LARGE,
    LONG,
    MispackedError,
    digests_in,
    packed,
    text_in,
    unpacked,
)
from tinysmith.journal._rows import Text

CHARACTERS = st.characters(codec=None, exclude_categories=())
SHORT = st.text(CHARACTERS, max_size=5)
NAMES = SHORT | st.builds("${}".format, SHORT) | st.sampled_from(["$", "$$", "$$$a"])
TEXTS = (
    SHORT
    | st.builds(lambda text, times: (text + "é") * times, SHORT, st.sampled_from([LONG, LARGE]))
    | st.sampled_from(["a" * (LONG - 1), "a" * LONG, "a" * (LARGE - 1), "a" * LARGE, "\ud83d" * LARGE])
)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=15,
)


def back(body: bytes, texts: tuple[Text, ...]) -> list[Any]:
    """What was packed."""
    by_digest = {text.digest: text_in(text) for text in texts}
    return unpacked(body, by_digest.__getitem__)


def noise(size: int) -> str:
    """A text that cannot be made much smaller."""
    return "".join(chr(byte & 127) for part in range(size // 64) for byte in blake2b(b"%d" % part).digest())


class Level(IntEnum):
    """A number that is no JSON number."""

    low = 1


class TestPacked:
    @given(st.lists(DATA, max_size=4))
    def test_comes_back(self, data: list[Any]) -> None:
        """What is packed comes back: any floats, halves of surrogates, names with $, texts of any size."""
        body, texts = packed(data)
        assert repr(back(body, texts)) == repr(data)
        assert set(digests_in(body)) == {text.digest for text in texts}
        assert all(len(text_in(text)) >= LARGE for text in texts)

    @pytest.mark.parametrize("value", ["\ud83d", {"\udfff": 1}, 2**64, -(2**63) - 1, 10**400, 1e16, 5e-324, -0.0])
    def test_what_few_write(self, value: Any) -> None:
        """What writers of JSON differ in comes back as well, beside the rest."""
        data = [value, "é\x00\u2028\x7f", {"$": value}, [1.5, 1e22, 0.1]]
        assert repr(back(*packed(data))) == repr(data)

    def test_says_a_long_text_once(self) -> None:
        """A long text is in the bytes once, however often it is said, and a short one where it is said."""
        long = "a" * LONG
        body, texts = packed([long, {"x": [long, long]}, "short", "short"])
        assert (body.count(long.encode()), body.count(b"short"), texts) == (1, 2, ())
        assert len(body) < 2 * LONG + 40

    def test_keeps_a_large_text_elsewhere(self) -> None:
        """Of a large text the bytes have the digest, and the text is beside them once."""
        large = "large " * LARGE
        body, (text,) = packed([large, [large], "a" * LONG])
        assert len(body) < 200
        assert text_in(text) == large
        assert packed(["other", large])[1] == (text,)

    @pytest.mark.parametrize(("said", "is_packed"), [("a" * LARGE, True), (noise(LARGE), False)])
    def test_compresses_where_it_pays(self, said: str, is_packed: bool) -> None:  # of the table above
        """A large text is compressed if it is smaller then, and kept as it is if it is not."""
        _, (text,) = packed([said])
        assert text.is_packed is is_packed
        assert (len(text.content) < len(said.encode()) * 0.9) is is_packed
        assert text_in(text) == said

    def test_takes_what_is_like_json(self) -> None:
        """Tuples and mappings of any kind come back as lists and dictionaries."""
        data: Mapping[str, Any] = MappingProxyType({"a": (1, 2)})
        assert back(*packed([data])) == [{"a": [1, 2]}]

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (b"x", "a bytes is no JSON data"),
            (Level.low, "a Level is no JSON data, although it looks like some"),
            ({1: 2}, "1 is no text, so it cannot be a key"),
        ],
    )
    def test_refuses_the_rest(self, value: Any, problem: str) -> None:
        """What is no JSON data is refused, also where it would be written as if it were."""
        with pytest.raises(TypeError, match=problem):
            packed([[value]])


class TestUnpacked:
    @given(st.binary(max_size=60) | DATA.map(lambda data: json.dumps(data).encode()))
    def test_any_bytes(self, body: bytes) -> None:
        """Any bytes give a list, or MispackedError."""
        with suppress(MispackedError):
            assert type(unpacked(body, lambda _: "")) is list
        with suppress(MispackedError):
            assert type(digests_in(body)) is tuple

    @given(st.data(), st.lists(DATA, min_size=1, max_size=3))
    def test_flipped_bytes(self, draw: st.DataObject, data: list[Any]) -> None:
        """Packed data with a byte changed give a list, or MispackedError."""
        body = bytearray(packed(data)[0])
        body[draw.draw(st.integers(0, len(body) - 1))] = draw.draw(st.integers(0, 255))
        with suppress(MispackedError):
            assert type(unpacked(bytes(body), lambda _: "")) is list

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            (b"{}", "it is no list"),
            (b"[NaN]", "it has the number NaN"),
            (b'["\xff"]', "UnicodeDecodeError"),
            (b"[", "JSONDecodeError"),
            (b"[" * 100_000, "RecursionError"),
            (b'[{"$":0}]', "IndexError"),
            (b'[{"$":-1}]', "KeyError"),
            (b'[{"$":"one"}]', "KeyError"),
            (b'[{"$":0,"a":1}]', "ValueError"),
            (b'[{"$":{}}]', "TypeError"),
            (b'[{"$":0},{"$":[7]}]', "TypeError"),
            (b'[{"$":0},{"$":[["xy"]]}]', "ValueError"),
            (b'[{"$":0},{"$":[[7]]}]', "TypeError"),
        ],
    )
    def test_what_is_wrong(self, body: bytes, problem: str) -> None:
        """Of bytes that are no packed data it is said what is wrong."""
        with pytest.raises(MispackedError, match=problem):
            unpacked(body, lambda _: "")

    def test_a_missing_text(self) -> None:
        """An error of the one who finds the large texts is handed on."""

        def text_of(digest: bytes) -> str:
            raise MispackedError(f"no {digest.hex()}")

        body, (text,) = packed(["a" * LARGE])
        with pytest.raises(MispackedError, match=f"^no {text.digest.hex()}$"):
            unpacked(body, text_of)


class TestTextIn:
    def test_a_damaged_text(self) -> None:
        """A text that is not the one of its digest, or none at all, is refused, and the message names it."""
        _, (text,) = packed(["a" * LARGE])
        for content, is_packed in ((text.content[:-3], True), (b"other", False), (text.content, False)):
            with pytest.raises(MispackedError, match=f"the text {text.digest.hex()} is damaged"):
                text_in(Text(text.digest, content, is_packed))

    def test_bytes_that_are_no_text(self) -> None:
        """Bytes that are no UTF-8 are refused, even with their own digest."""
        digest = blake2b(b"\xff", digest_size=16).digest()
        with pytest.raises(MispackedError, match="is damaged"):
            text_in(Text(digest, b"\xff", is_packed=False))
