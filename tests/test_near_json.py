"""JSON, and what models write instead of it."""

import inspect
import json
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinysmith._json_spans import MOST_DEPTH
from tinysmith._near_json import MOST_MENDED, read
from tinysmith.errors import ParseError

LONG = "x" * 100_000
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), VALUES, min_size=1, max_size=4)
HOSTILE = st.lists(
    st.sampled_from(
        [*"[]{}\"',:a1 \n\\“”()`#…", "//", "/*", "*/", "NaN", "...", "```json\n", "</think>", '"a":', "\ud800"]
    ),
    max_size=60,
).map("".join)


def refusal(text: str, *kinds: type) -> str:
    """What the model is told of a text that cannot be read."""
    with pytest.raises(ParseError) as caught:
        read(text, *kinds)
    return str(caught.value)


class TestMended:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ('{"a": 1}', {"a": 1}),
            ('\ufeff {"a": 1}\n', {"a": 1}),
            ('```json\n{"a": 1}\n```', {"a": 1}),
            ('```\n{"a": 1}\n```', {"a": 1}),
            ('```json {"a": 1}```', {"a": 1}),
            ('Sure! Here it is:\n\n```json\n{"a": 1}\n```\n\nShall I go on?', {"a": 1}),
            ('Here it is: {"a": 1}. Anything else?', {"a": 1}),
            ('The result is [1, 2], as asked.', [1, 2]),
            ('{"a": 1,}', {"a": 1}),
            ('{"a": [1, 2,], // the last one,\n}', {"a": [1, 2]}),
            ('{"a": "x, ]", "b": "// no } comment",}', {"a": "x, ]", "b": "// no } comment"}),
            ("{'a': 'b'}", {"a": "b"}),
            ("{'a': 'it\\'s fine'}", {"a": "it's fine"}),
            ("['the hosts', 'x']", ["the hosts", "x"]),
            ("""{'a': 'say "hi"'}""", {"a": 'say "hi"'}),
            ("{a: 1, $b-c.d: 'it', 2: null}", {"a": 1, "$b-c.d": "it", "2": None}),
            ('{"a": 1, // it\'s the first, {\n "b": 2}', {"a": 1, "b": 2}),
            ('{"a": 1, # the "first"\n "b": 2}', {"a": 1, "b": 2}),
            ('{"a": /* one ] */ 1}', {"a": 1}),
            ('{"a": \'x\' /* it\'s { */}', {"a": "x"}),
            ("{'a': True, 'b': False, 'c': None}", {"a": True, "b": False, "c": None}),
            ("{“a”: “b: {”}", {"a": "b: {"}),
            ("[\u2018a\u2019]", ["a"]),
            ('{"a": "two\nlines\tand a tab"}', {"a": "two\nlines\tand a tab"}),
            ('{"a": "say "hi" to {"}', {"a": 'say "hi" to {'}),
            ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
            ('{"a": [1, 2}', {"a": [1, 2]}),
            ('{"a": [1, {"b": [2, }]}', {"a": [1, {"b": [2]}]}),
            ('{"a": "x"\n  "b": 1}', {"a": "x", "b": 1}),
            ('[{"a": 1} {"a": (1, 2)}\n[3]]', [{"a": 1}, {"a": [1, 2]}, [3]]),
            ('{"a": "<"b"> (\\"c\\") "d e!" f"}', {"a": '<"b"> ("c") "d e!" f'}),
            ('{"a": ""b" or "c"", "d": ["x "y""]}', {"a": '"b" or "c"', "d": ['x "y"']}),
            ("{'a': '\\\\ \\n \\q \\\" \\u12'}", {"a": '\\ \n \\q " \\u12'}),
            ("{'a': -1.5e3, b: 0, c: 0.5E+1, true: null}", {"a": -1500, "b": 0, "c": 5, "true": None}),
            ('{"a": 1}}', {"a": 1}),
            ('{"a": "\\\\", "b": "\\""}', {"a": "\\", "b": '"'}),
            ('{"a": "\\d+", \'b\': 1}', {"a": "\\d+", "b": 1}),
            ("{'a': '\\u0041'}", {"a": "A"}),
            ('{"a": 1, "b": (2, "c")}', {"a": 1, "b": [2, "c"]}),
            ('{"a": "…", \'b\': "NaN: ,"}', {"a": "…", "b": "NaN: ,"}),
            ('{"a": "```python\nx = [1]\n```",}', {"a": "```python\nx = [1]\n```"}),
            ('{"a": "</think>"}', {"a": "</think>"}),
            ('<think>Is it {"b": 2}? Or [</think>{"a": 1}', {"a": 1}),
            ('It could be {"b": </thinking>\n{"a": 1}', {"a": 1}),
            ('{"a": 1}\n{"a": 1.0}', {"a": 1}),
            ('Not {x}, $x[0]$, [as asked], \\frac{1}{2}, [ ] or f(x)[1]: {"a": 1}', {"a": 1}),
            ('Write {"a": 0} or {"a": 2}:\n```json\n{"a": 1}\n```', {"a": 1}),
            ('```python\nx = {"b": 2}\n```\n```json\n{"a": 1}\n```', {"a": 1}),
            ('```\n{"a": 1}\n```\nnot {"b": 2}', {"a": 1}),
            ("{}", {}),
            ("so: []", []),
        ],
    )  # fmt: skip
    def test_what_models_write(self, text: str, value: Any) -> None:
        """What models write around, or in place of, valid JSON is read as what they mean."""
        assert read(text) == value

    @pytest.mark.parametrize(
        ("text", "value"), [("3", 3), ("3.0", 3), ('"x"', "x"), ("null", None), ("true", True), ("2.5", 2.5)]
    )
    def test_plain_values(self, text: str, value: Any) -> None:
        """A reply that is nothing but a plain value is that value, where no kind is asked for."""
        assert read(text) == value
        assert type(read(text)) is type(value)

    @pytest.mark.parametrize(
        ("text", "value"), [("9007199254740992.0", int), ("1e300", float), ("1.5", float), ("-0.0", int)]
    )
    def test_whole_numbers(self, text: str, value: type) -> None:
        """A float without a fraction is an integer, as far as floats are exact."""
        assert type(read(f"[{text}]")[0]) is value

    def test_half_pairs(self) -> None:
        """Half of a surrogate pair is replaced, in keys too; whole pairs are kept."""
        assert read('{"\\ud83d": "\\ud83d\\ude00 \\udc00"}') == {"�": "😀 �"}

    def test_long(self) -> None:
        """100 kB are read, with comments, fences, trailing commas and line breaks in texts too."""
        assert read(f'{{"a": "\n{LONG}"}}') == {"a": f"\n{LONG}"}
        assert read(f'Here: ```json\n{{"a": "{LONG}", // done\n}}\n```') == {"a": LONG}

    def test_kinds(self) -> None:
        """Where an object is asked for, lists beside it are passed over, and the other way round."""
        assert read('[1] says: {"a": [2]}', dict) == {"a": [2]}
        assert read('{"a": 1} says: [2]', list) == [2]


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "There is no JSON in your reply. Reply with one JSON object, `{…}` or one JSON list, `[…]`."),
            ("I cannot do that.", "There is no JSON"),
            ('<think>{"a": 1}', "There is no JSON"),
            ('{"a": 1} or {"a": 2}', "Your reply holds 2 JSON values that differ."),
            ('```json\n{"a": 1}\n```\n```json\n{"a": true}\n```', "holds 2 JSON values that differ"),
            ('{"a": [1, 2', "the reply was cut off"),
            ('{"a": "x', "the reply was cut off"),
            ("{'a': “x", "the reply was cut off"),
            ('Here: {', "the reply was cut off"),
            ('{"a": 1} and {"b": ', "the reply was cut off"),
            ('```json\n{"a": [1,\n```', "the reply was cut off"),
            ('{"a": 1, /* and so on', "the reply was cut off"),
            ('{"a": NaN}', "holds NaN, which is no JSON value"),
            ('{"a": -Infinity}', "holds -Infinity"),
            ("{'a': nan}", "holds nan"),
            ("{'a': undefined}", "holds undefined"),
            ('{"a": 1e999}', "is too large"),
            ("{'a': 1e999}", "is too large"),
            (f'[{"9" * 401}]', "has 401 digits"),
            ('{"a": 1, "a": 2}', "The key 'a' stands twice in one object"),
            ("{'a': 1, 'a': 2}", "The key 'a' stands twice in one object"),
            ("{a: 1, b: 'x', a: 2}", "The key 'a' stands twice in one object"),
            ("{'b': {'a': 1 'a': 2}}", "a key stands there twice"),
            ("{'a': 'b', 'lost'}", "a part belongs nowhere"),
            ('{"a": "b", "c": }', "is missing"),
            ('{"a": , "b": 1}', "A value in the JSON in your reply is missing"),
            ('{"a": 12:30, "b": 1}', "without quotation marks"),
            ('{"a": [1, 2, ...]}', "leaves something out with `...`"),
            ('{"a": [1, …]}', "leaves something out with `…`"),
            ('["a": 1]', "A list in the JSON of your reply holds a key"),
            ('["a", } 1]', "A `}` in the JSON of your reply closes nothing"),
            ("[" * 1000 + "]" * 1000, "nested more than 100 deep"),
            ("[" * 100_000, "nested more than 100 deep"),
            ('{"a":' * 1000, "nested more than 100 deep"),
            ("[" * 101 + "]" * 101, "nested more than 100 deep"),
            ("x " + "[" * 101 + "]" * 101, "nested more than 100 deep"),
            ('{"a": ' + "(" * 1000 + "}", "nested more than 100 deep"),
            (f'{{"a": ("{LONG}", 1)}}', "broken, and too long to be mended"),
            ('{"a": "' + ' "x' * 41 + '"}', "holds a quotation mark"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_meant(self, text: str, told: str) -> None:
        """What is not whole, not one value or no value of JSON is refused, in words that a model can act on."""
        assert told in refusal(text)

    def test_deep_in_a_program(self) -> None:
        """What cannot be mended since the stack of calls is nearly used up is refused, as is what is too deep."""
        text = "[" * 98 + "(1, 2)" + "]" * 98
        room = sys.getrecursionlimit() - len(inspect.stack()) - 100

        def told_at(depth: int) -> str:
            if depth:
                return told_at(depth - 1)
            try:
                return str(read(text))[:0]
            except ParseError as error:
                return str(error)

        told = {told_at(depth) for depth in range(0, room, 40)}
        assert "" in told
        assert any("too broken to be mended" in said for said in told)

    def test_bounds(self) -> None:
        """Depth and length are allowed up to their bounds."""
        assert read("[" * MOST_DEPTH + "]" * MOST_DEPTH)
        assert read("so " + "[" * MOST_DEPTH + "]" * MOST_DEPTH)
        assert read(f'["{"x" * (MOST_MENDED - 10)}", (1, 2)]')
        assert "too long" in refusal(f'["{"x" * (MOST_MENDED - 9)}", (1, 2)]')
        assert read(f"[{'9' * 400}]")

    @pytest.mark.parametrize(
        ("text", "kind", "told"),
        [
            ("[1]", dict, "Your reply is a list. Reply with one JSON object, `{…}`."),
            ("so: [1]", dict, "Your reply holds a list. Reply with one JSON object, `{…}`."),
            ('{"a": 1}', list, "Your reply is an object. Reply with one JSON list, `[…]`."),
            ("3", dict, "Your reply is a number."),
            ('"{}"', dict, "Your reply is a text."),
            ("null", list, "Your reply is null."),
            ("- [ ] one\n- [ ] two", list, "There is no JSON in your reply."),
        ],
    )
    def test_other_kinds(self, text: str, kind: type, told: str) -> None:
        """A value of another kind is named, and what is wanted too."""
        assert refusal(text, kind).startswith(told)


class TestProperties:
    @given(VALUES)
    def test_valid_json(self, value: Any) -> None:
        """Valid JSON is always read as what it says."""
        assert read(json.dumps(value)) == value
        assert read(json.dumps(value, ensure_ascii=False)) == value

    @given(OBJECTS, st.sampled_from(["Here: {}", "```json\n{}\n```", "<think>[{{</think>{}", "{}\nDone."]))
    def test_surroundings(self, value: Any, around: str) -> None:
        """An object is found whatever it holds, with other text around it."""
        assert read(around.format(json.dumps(value)), dict) == value

    @given(OBJECTS, st.data())
    def test_truncated(self, value: Any, data: st.DataObject) -> None:
        """An object that is cut off anywhere is never taken for a whole one."""
        text = json.dumps(value)
        assert refusal(text[: data.draw(st.integers(1, len(text) - 1))], dict)

    @given(HOSTILE | st.text(st.characters(exclude_categories=())))
    @example('{"a":"\ud800"}')
    @example("\x00")
    def test_total(self, text: str) -> None:
        """Any text at all is a value of the kind that is asked for, or a ParseError."""
        for kind in (dict, list):
            try:
                assert type(read(text, kind)) is kind
            except ParseError as error:
                assert str(error).endswith(".")  # noqa: PT017  # what is raised is half of the claim

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        "unit", ["[", '{"a":', '"', "\\", "{", "'", "/*", "[1,],", '{"a": 1,}', '"a"', "```\n", "<think>"]
    )
    def test_large(self, unit: str) -> None:
        """100 kB of what would take a careless reader for ever are read or refused."""
        for text in (unit, f'{{"k":{unit}}}', f'["k",{unit}]'):
            try:
                assert type(read(text.replace(unit, unit * (100_000 // len(unit))))) in {dict, list, str}
            except ParseError:
                continue
