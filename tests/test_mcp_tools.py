"""What is taken from a server's words: names, descriptions, schemas, results, lines; without a server."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith.errors import UsageError
from tinysmith.mapping import freeze
from tinysmith.mcp import McpResult, McpTool, declarations
from tinysmith.mcp._results import result_of
from tinysmith.mcp._texts import cleaned, cleaned_json, cut
from tinysmith.mcp._tools import Listing
from tinysmith.mcp._wire import MOST_UNASKED, Lines, Unasked, message_in

OBJECT = {"type": "object"}


def listed(name: str, **more: Any) -> dict[str, Any]:
    """A tool as a server lists it."""
    return {"name": name, "description": None, "inputSchema": OBJECT, **more}


def listing(*tools: dict[str, Any], only: tuple[str, ...] | None = None) -> Listing:
    """What is taken of a page."""
    taken = Listing(only)
    taken.add(tools)
    return taken


def nested(levels: int) -> Any:
    """A schema of so many levels."""
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels - 2):
        schema = {"type": "object", "not": schema}
    return schema


def result(*content: dict[str, Any], most_bytes: int = 1000, **more: Any) -> McpResult:
    """The result that an answer tells."""
    return result_of({"content": content, **more}, most_bytes)


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("a\tb\r\nc\n", "a\tb\nc\n"),
            ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
            ("pay \u202eevil\u202c", "pay \\u202eevil\\u202c"),
            ("\ufeffzero\u200bwidth", "\\ufeffzero\\u200bwidth"),
            ("tag\U000e0041", "tag\\U000e0041"),
            ("half \ud800", "half \ufffd"),
            ("👩\u200d🔬 ünïcode\u00a0", "👩\u200d🔬 ünïcode\u00a0"),
        ],
    )
    def test_what_cannot_be_seen_is_written_out(self, text: str, shown: str) -> None:
        """Controls, marks of direction and tags are written out; what writing needs is left as it is."""
        assert cleaned(text) == shown
        assert cleaned_json({text: [text, 1, None]}) == {shown: [shown, 1, None]}

    def test_a_key_of_ours_is_taken_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A key that a server was given is not in what it says."""
        monkeypatch.setenv("DEMO_API_KEY", "key-0123456789")
        assert cleaned("it is key-0123456789!") == "it is <DEMO_API_KEY>!"

    def test_numbers_that_json_lacks_are_null(self) -> None:
        """A number that is not finite is null."""
        assert cleaned_json([float("inf"), float("nan"), 1.5]) == [None, None, 1.5]

    def test_a_long_text_says_where_it_is_cut(self) -> None:
        """A text beyond its bytes is cut between characters, and says so."""
        assert cut("äöü", 6) == "äöü"
        assert cut("äöü", 5) == "äö\n[cut: the first 5 of 6 bytes]"


class TestListing:
    def test_takes_what_is_sound(self) -> None:
        """A tool has its name, its description without tricks, and its schema as JSON text."""
        taken = listing(listed("add", description="Adds.\u202e"), listed("fs.read/all-1"))
        assert list(taken.tools.values()) == [
            McpTool("add", "Adds.\\u202e", '{"type": "object"}'),
            McpTool("fs.read/all-1", "", '{"type": "object"}'),
        ]
        assert taken.remarks == ()

    def test_tells_what_it_leaves_out(self) -> None:
        """Bad names, names that come twice and schemas that are too long are left out, and told by reason."""
        big = {"type": "object", "title": "x" * 20_000}
        names = ["a b", "\x1b[31m", "", "n" * 129, "add", "add"]
        taken = listing(*map(listed, names), listed("big", inputSchema=big))
        assert list(taken.tools) == ["add"]
        misnamed, twice, large = taken.remarks
        assert misnamed.startswith("4 of its tools have names with other characters")
        assert misnamed.endswith("a b, \\x1b[31m, (empty), …. Left out.")
        assert twice == "1 of its tools have the name of one before them: add. Left out."
        assert large == "1 of its tools have a schema of more than 20,000 characters: big. Left out."

    def test_an_odd_tool_is_left_out_alone(self) -> None:
        """What is no tool, or cannot be called as one, is left out and named; what is not read may be odd."""
        odd = listed("odd", annotations="x", icons=[1], outputSchema={"type": "array"})
        nameless: list[Any] = [5, None, {"inputSchema": OBJECT}, listed("")]
        worded = listed("worded", description=3)
        schemas: dict[str, Any] = {"empty": {}, "text": {"type": "a"}, "list": {"type": ["object"]}, "no": True}
        taken = listing(
            *nameless,
            {"name": "bare"},
            *(listed(name, inputSchema=schema) for name, schema in schemas.items()),
            worded,
            listed("deep", inputSchema=nested(129)),
            listed("abyss", inputSchema=nested(100_000)),
            odd,
        )
        assert list(taken.tools) == ["odd"]
        misnamed, shapeless, undescribed, deep = taken.remarks
        assert misnamed.endswith("or more than 128: (none), (none), (none), …. Left out.")
        assert shapeless == "5 of its tools have no JSON schema of an object: bare, empty, text, …. Left out."
        assert undescribed == "1 of its tools have a description that is no text: worded. Left out."
        assert deep == "2 of its tools have a schema of more than 128 levels: deep, abyss. Left out."

    def test_the_deepest_schema_can_be_declared(self) -> None:
        """A schema that is not too deep is taken, and what a model is told of it is of the same depth."""
        taken = listing(listed("deep", inputSchema=nested(128)))
        (declared,) = declarations(taken.tools.values())
        assert declared["function"]["parameters"] == freeze(nested(128))

    def test_a_wanted_tool_that_is_left_out_is_told(self) -> None:
        """A name in `only` whose tool is left out gives an error that says why."""
        taken = listing(listed("bad", inputSchema={}), listed("add"), listed("add"), only=("add", "bad"))
        with pytest.raises(UsageError, match=r"names 'bad', which is left out .* have no JSON schema of an obj"):
            taken.check()
        listing(listed("add"), listed("add"), only=("add",)).check()

    def test_a_long_description_is_cut(self) -> None:
        """A description is cut, and says so."""
        taken = listing(listed("add", description="x" * 5000))
        assert taken.tools["add"].description.endswith("x\n[cut: the first 4,000 of 5,000 bytes]")

    def test_thousands_of_tools_are_cut_short(self) -> None:
        """After 256 tools no more is taken, and that is told."""
        taken = listing(*(listed(f"tool{number}") for number in range(5000)))
        assert len(taken.tools) == 256
        assert taken.is_cut_short
        assert taken.remarks == ("It lists more than 256 tools; those beyond are left out.",)

    def test_takes_only_what_is_wanted(self) -> None:
        """Of what was not asked for, nothing is taken and nothing is said."""
        big = {"type": "object", "title": "x" * 20_000}
        taken = listing(listed("add"), listed("drop", inputSchema=big), only=("add",))
        assert (list(taken.tools), taken.remarks) == (["add"], ())


class TestDeclarations:
    def test_are_in_the_form_that_agents_have(self) -> None:
        """Each tool is a function with its description and its schema."""
        schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
        (declared,) = declarations([McpTool("add", "Adds.", json.dumps(schema)), McpTool("x.y")], only=("add",))
        assert declared["type"] == "function"
        assert declared["function"]["name"] == "add"
        assert declared["function"]["description"] == "Adds."
        assert declared["function"]["parameters"]["properties"]["a"] == {"type": "integer"}
        assert hash(declared) is not None

    @pytest.mark.parametrize(
        ("tool", "problem"),
        [
            (McpTool("fs.read"), "'fs.read' cannot be declared: providers take names of 1 to 64 letters"),
            (McpTool("n" * 65), "providers take names of 1 to 64 letters"),
            (McpTool("add", "", "[]"), "'add' cannot be declared: its schema is no JSON schema of an object"),
            (McpTool("add", "", '{"type": "array"}'), "no JSON schema of an object"),
            (McpTool("add", "", "{"), "no JSON schema of an object"),
            (McpTool("add", "", "[" * 5000), "no JSON schema of an object"),
            (McpTool("add", "", json.dumps(nested(129))), "has more than 20,000 characters or 128 levels"),
            (McpTool("add", "", '{"type": "object"}' + " " * 20_000), "more than 20,000 characters"),
        ],
    )
    def test_refuse_what_providers_refuse(self, tool: McpTool, problem: str) -> None:
        """A name or a schema that no provider takes is refused, with the way to leave it out."""
        with pytest.raises(UsageError, match=problem):
            declarations([tool])
        assert declarations([tool], only=()) == ()

    @pytest.mark.parametrize("tools", ["add", None, McpTool("add"), {"add": McpTool("add")}, [{"name": "add"}]])
    def test_are_made_of_tools(self, tools: Any) -> None:
        """Anything else is refused."""
        with pytest.raises(UsageError, match=r"^declarations: tools is .*; give a list of McpTool"):
            declarations(tools)

    @pytest.mark.parametrize("only", ["add", 3, [3], {"add": True}])
    def test_only_names_of_tools(self, only: Any) -> None:
        """Anything but several names is refused."""
        with pytest.raises(
            UsageError, match=r"^only= is a .*, or holds what is no text\. Give a sequence of names"
        ):
            declarations([McpTool("add")], only=only)

    @pytest.mark.parametrize("wrong", [{"name": 3}, {"description": None}, {"schema": {"type": "object"}}])
    def test_a_tool_is_made_of_texts(self, wrong: dict[str, Any]) -> None:
        """A schema as a dict, which is JSON text, is refused when the tool is made."""
        with pytest.raises(UsageError, match=r"^McpTool: (name|description|schema) is .*; give a text"):
            McpTool(**{"name": "add", **wrong})

    def test_a_wrong_name_is_told(self) -> None:
        """A name that is not there is refused, and a near one offered."""
        with pytest.raises(UsageError, match=r"names 'ad', which is no tool of the server\. Did you mean add\?"):
            declarations([McpTool("add")], only=("ad",))


class TestResults:
    def test_texts_come_one_after_another(self) -> None:
        """All parts that are text are there, those of embedded files too."""
        file = {"type": "resource", "resource": {"uri": "file:///a", "text": "two\x00"}}
        told = result({"type": "text", "text": "one"}, file, structuredContent={"a": [None]}, isError=True)
        assert told == McpResult("one\ntwo\\x00", '{"a": [null]}', is_error=True)

    def test_what_is_no_text_is_told_by_kind_and_size(self) -> None:
        """Of images, sounds, files and links there is a line, and no byte."""
        told = result(
            {"type": "image", "data": "MTIzNDU=", "mimeType": "image/png\u202e"},
            {"type": "audio", "data": "", "mimeType": None},
            {"type": "resource", "resource": {"uri": "x", "blob": "MTIz", "mimeType": "application/zip"}},
            {"type": "resource_link", "uri": "file:///etc/passwd\n"},
        )
        assert told.text.splitlines() == [
            "[image/png\\u202e, 5 bytes, not kept]",
            "[audio, 0 bytes, not kept]",
            "[application/zip, 3 bytes, not kept]",
            "[a link to file:///etc/passwd, not followed]",
        ]

    def test_a_large_result_is_cut(self) -> None:
        """Text and structured content beyond the bound are cut and left out, and the text says so."""
        told = result({"type": "text", "text": "x" * 60}, structuredContent=["y" * 200], most_bytes=100)
        assert told.structured == ""
        assert told.text.startswith("x" * 60 + "\n[structured content of more than 100 b")
        assert told.text.endswith("[cut: the first 100 of 114 bytes]")

    def test_what_is_shown_is_never_empty(self) -> None:
        """A model is told the text, else the structured content, else that there is none."""
        assert result({"type": "text", "text": "a"}, structuredContent=1).shown == "a"
        assert result(structuredContent={"a": 1}).shown == '{"a": 1}'
        assert result().shown == "(no output)"


class TestUnasked:
    def test_a_burst_is_bounded(self) -> None:
        """A burst of 10,000 messages is borne, and the next one is too many; an answer begins anew."""
        unasked = Unasked()
        assert not any(unasked.is_too_many(100, 5.0) for _ in range(MOST_UNASKED))
        assert unasked.is_too_many(100, 5.0)
        unasked.forget()
        assert not unasked.is_too_many(100, 5.0)

    def test_time_makes_room(self) -> None:
        """100 messages a second are borne for ever, and 200 are not."""
        for rate, is_borne in ((100, True), (200, False)):
            unasked = Unasked()
            told = (unasked.is_too_many(0, second) for second in range(300) for _ in range(rate))
            assert any(told) is not is_borne

    def test_long_messages_count_as_several(self) -> None:
        """Of messages of megabytes, fewer are borne."""
        unasked = Unasked()
        assert [unasked.is_too_many(8 << 20, 0) for _ in range(10)] == [False] * 9 + [True]


class TestLines:
    @given(st.lists(st.binary(max_size=6).map(lambda raw: raw.replace(b"x", b"\n")), max_size=20))
    def test_lines_are_the_same_however_they_come(self, chunks: list[bytes]) -> None:
        """Lines and what is kept are those of the whole, whatever the chunks are."""
        lines = Lines()
        found = [line for chunk in chunks for line in lines.feed(chunk)]
        size = lines.size
        *whole, rest = b"".join(chunks).split(b"\n")
        assert (found, size, lines.flush(), lines.size) == (whole, len(rest), rest, 0)

    @pytest.mark.parametrize("line", [b"", b"hello", b"[]", b'{"a": 1}', b"[" * 100_000, b"\xff{", b"9" * 5000])
    def test_what_is_no_message_is_none(self, line: bytes) -> None:
        """Garbage of any kind is no message."""
        assert message_in(line) is None

    def test_a_message_is_read_as_json_is(self) -> None:
        """Names that Python reads as numbers, and bytes that are no UTF-8, do no harm."""
        assert message_in(b'{"jsonrpc": "2.0", "a": NaN, "b": "\xff"}') == {
            "jsonrpc": "2.0",
            "a": None,
            "b": "\ufffd",
        }
