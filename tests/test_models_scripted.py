"""A model that says what a script says."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tinysmith import Ask, Message, Model, Reply, Scripted, Usage
from tinysmith.errors import DataError, RecordingOver, UsageError
from tinysmith.messages import FREE


def asking(node: str = "writer") -> Ask:
    """A question of a node."""
    return Ask((Message("user", "Go."),), id=node, node=node)


class TestScripted:
    def test_in_order(self) -> None:
        """A list is said in the order of asking, whoever asks; it costs nothing and is said by scripted."""
        model = Scripted(["one", "two"])
        assert model.ask(asking()) == Reply("one", usage=FREE, model="scripted")
        assert asyncio.run(model.aask(asking("critic"))).text == "two"
        assert isinstance(model, Model)

    def test_by_node(self) -> None:
        """A mapping is said by node name, and * to the nodes that are not named."""
        model = Scripted({"writer": ["w1", "w2"], "*": ["any"]})
        assert [model.ask(asking(node)).text for node in ("writer", "critic", "writer")] == ["w1", "any", "w2"]

    def test_names(self) -> None:
        """It tells the nodes that it names."""
        assert Scripted({"writer": [], "*": []}).nodes == {"writer"}
        assert Scripted(["one"]).nodes == set()

    def test_whole_replies(self) -> None:
        """A Reply is given as it is."""
        reply = Reply("x", finish="length", usage=Usage(1, 2, 3.0), model="m")
        assert Scripted([reply]).ask(asking()) is reply

    @pytest.mark.parametrize("script", [[], {"writer": []}, {"critic": ["x"]}, {"writer": [], "*": ["x"]}])
    def test_used_up(self, script: Any) -> None:
        """A script without a reply left for a node says which node."""
        with pytest.raises(RecordingOver, match=r"scripted: The script has no reply left for writer\."):
            Scripted(script).ask(asking())

    @pytest.mark.parametrize("script", ["text", {"writer": "text"}])
    def test_one_text(self, script: Any) -> None:
        """One text where a list is wanted is refused, instead of being said letter by letter."""
        with pytest.raises(UsageError, match=r"a list of replies, not one text"):
            Scripted(script)


class TestAssertComplete:
    def test_all_used(self) -> None:
        """A script that was used to its end is complete."""
        model = Scripted(["x"])
        model.ask(asking())
        model.assert_complete()

    def test_some_left(self) -> None:
        """A script with replies left says how many, for which node, and the first of them."""
        model = Scripted({"writer": ["a" * 99, "b"], "critic": ["c"], "poet": []})
        with pytest.raises(
            AssertionError, match=rf"nobody asked for: 2 for writer, the first '{'a' * 60}'; 1 for c"
        ):
            model.assert_complete()


class TestFromFile:
    @pytest.mark.parametrize("script", [["one"], {"writer": ["one"], "*": []}, {"*": ["one"]}])
    def test_lists_of_texts(self, script: Any, tmp_path: Path) -> None:
        """A file holds a list of texts, or such lists by node name."""
        path = tmp_path / "script.json"
        path.write_text(json.dumps(script))
        assert Scripted.from_file(path).ask(asking()).text == "one"
        assert Scripted.from_file(str(path)).ask(asking()).text == "one"

    def test_missing(self, tmp_path: Path) -> None:
        """A file that is not there is named."""
        with pytest.raises(DataError, match=r"none\.json: the script cannot be read: .* Check the path\."):
            Scripted.from_file(tmp_path / "none.json")

    @pytest.mark.parametrize("data", [b"", b"[1,", b"\xff", b"[" * 100_000])
    def test_no_json(self, data: bytes, tmp_path: Path) -> None:
        """A file that is no JSON, no UTF-8, or nested without end is named with what is wrong."""
        path = tmp_path / "script.json"
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"script\.json: the script is not JSON: .* Write a list of texts\."):
            Scripted.from_file(path)

    @pytest.mark.parametrize("script", ["text", 7, [1], ["a", None], {"writer": "text"}, {"writer": [1]}])
    def test_other_json(self, script: Any, tmp_path: Path) -> None:
        """JSON of another shape is refused."""
        path = tmp_path / "script.json"
        path.write_text(json.dumps(script))
        with pytest.raises(DataError, match=r"the script is no list of texts, and no object of such lists"):
            Scripted.from_file(path)
