"""File trees as data."""

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith.errors import DataError, UsageError
from tinysmith.sandbox import Entry, Tree

PARTS = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=8
).filter(lambda part: part not in (".", ".."))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Trees whose files lie beneath folders alone."""
    entries: dict[str, Entry] = {}
    for path in draw(st.lists(PATHS, max_size=6, unique=True)):
        parents = ["/".join(path.split("/")[:count]) for count in range(2, path.count("/") + 1)]
        is_beneath = any(entries[parent].kind != "dir" for parent in parents if parent in entries)
        is_above = any(other.startswith(f"{path}/") for other in entries)
        if is_beneath:
            continue
        kind = "dir" if is_above else draw(st.sampled_from(["dir", "file", "link"]))
        entries[path] = Entry(
            path,
            kind,  # type: ignore[arg-type]  # one of the three
            draw(st.integers(0, 0o7777)),
            data=draw(st.binary(max_size=8)) if kind == "file" else b"",
            target=draw(PARTS) if kind == "link" else "",
            mtime_s=draw(st.none() | st.integers(0, 2**31).map(float)),
        )
    return Tree(tuple(entries.values()))


class TestEntry:
    @pytest.mark.parametrize("path", ["", "/", "a", "/a/", "/a//b", "/a/..", "/./a", "/a\0", f"/{'é' * 128}"])
    def test_its_path_is_plain(self, path: str) -> None:
        """A path that is relative, empty, too long for a name or leads up is refused."""
        with pytest.raises(UsageError, match="is no path of a tree"):
            Entry(path)

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"kind": "fifo"}, "kind is 'fifo'"),
            ({"mode": 0o10000}, "mode is 4096"),
            ({"mode": "644"}, "mode is '644'"),
            ({"kind": "link"}, "a link has a target"),
            ({"kind": "link", "target": "a\0"}, "a link has a target, without NUL"),
            ({"target": "/a"}, "nothing else has one"),
            ({"kind": "dir", "data": b"x"}, "a dir holds no data"),
        ],
    )
    def test_what_does_not_go_together_is_refused(self, changes: dict[str, Any], problem: str) -> None:
        """The message names the entry and what is wrong with it."""
        with pytest.raises(UsageError, match=f"Entry /a: .*{problem}"):
            Entry("/a", **changes)


class TestTree:
    def test_files_by_path(self) -> None:
        """`of` takes texts and bytes; a path that ends with a slash is a folder."""
        tree = Tree.of({"/notes/a.txt": "é", "/b": b"\xff", "/empty/": ""})
        assert [(entry.path, entry.kind, entry.data) for entry in tree.entries] == [
            ("/notes/a.txt", "file", "é".encode()),
            ("/b", "file", b"\xff"),
            ("/empty", "dir", b""),
        ]

    def test_no_path_is_in_it_twice(self) -> None:
        """A second entry at a path is refused."""
        with pytest.raises(UsageError, match="/a is in it twice"):
            Tree((Entry("/a"), Entry("/a", "dir")))

    @pytest.mark.parametrize("kind", ["file", "link"])
    def test_nothing_lies_beneath_a_file_or_link(self, kind: Any) -> None:
        """Whatever the order: what would be written through a link of the tree is refused."""
        above = Entry("/a", kind, target="/etc" if kind == "link" else "")
        for entries in ((above, Entry("/a/b/c")), (Entry("/a/b/c"), above)):
            with pytest.raises(UsageError, match=f"/a/b/c lies beneath /a, which is a {kind}"):
                Tree(entries)

    @given(trees())
    def test_what_is_written_is_read_as_it_was(self, tree: Tree) -> None:
        """A tree always survives its JSON."""
        assert Tree.of_rows(json.loads(tree.json())) == tree

    def test_the_sum_replaces(self) -> None:
        """Of two trees the second has the last word."""
        assert (Tree.of({"/a": "1", "/b": "2"}) + Tree.of({"/a": "3"})).entries == (
            *Tree.of({"/b": "2"}).entries,
            *Tree.of({"/a": "3"}).entries,
        )


class TestRead:
    def test_a_file(self, tmp_path: Path) -> None:
        """All that the format has is read; times are UTC unless they say otherwise."""
        rows = [
            {"path": "/d", "type": "dir", "mode": "0o750"},
            {"path": "/d/a", "type": "file", "text": "é", "mtime": "1970-01-01T00:01:00Z"},
            {"path": "/d/b", "type": "file", "base64": "/w==", "mode": "600", "mtime": "1970-01-01T00:02:00"},
            {"path": "/d/c", "type": "link", "target": "a"},
        ]
        path = tmp_path / "x.tree.json"
        path.write_text(json.dumps(rows), encoding="utf-8")
        assert Tree.read(path).entries == (
            Entry("/d", "dir", 0o750),
            Entry("/d/a", data="é".encode(), mtime_s=60.0),
            Entry("/d/b", mode=0o600, data=b"\xff", mtime_s=120.0),
            Entry("/d/c", "link", target="a"),
        )

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("{", "this is no JSON file that can be read"),
            ("[" * 100_000, "this is no JSON file that can be read"),
            ("{}", "this is no list of entries"),
            ("[1]", "row 0 is no entry: AttributeError"),
            ('[{"path": "/a"}]', "row 0 is no entry: KeyError: 'type'"),
            ('[{"path": "/a", "type": "file", "base64": "é"}]', "row 0 is no entry: ValueError"),
            ('[{"path": "/a", "type": "file", "text": 1}]', "row 0 is no entry: AttributeError"),
            ('[{"path": "/a", "type": "file", "mode": "9"}]', "row 0 is no entry: ValueError"),
            ('[{"path": "a", "type": "file"}]', "'a' is no path of a tree"),
            ('[{"path": "/a", "type": "file"}, {"path": "/a", "type": "file"}]', "/a is in it twice"),
        ],
    )
    def test_what_is_no_tree(self, tmp_path: Path, text: str, problem: str) -> None:
        """The message names the file, the row and what is wrong."""
        path = tmp_path / "x.tree.json"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=problem) as caught:
            Tree.read(path)
        assert str(path) in str(caught.value)

    def test_no_file(self, tmp_path: Path) -> None:
        """A file that is not there is named."""
        with pytest.raises(DataError, match="there is no such file; name a "):
            Tree.read(tmp_path / "x")


class TestKinds:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"path": None}, "Entry: None is no path of a tree"),
            ({"path": b"/a"}, "Entry: b'/a' is no path of a tree"),
            ({"path": "/a", "data": "text"}, "Entry: data is a str; give bytes"),
            ({"path": "/a", "data": None}, "Entry: data is a NoneType; give bytes"),
            ({"path": "/a", "kind": "link", "target": b"/b"}, "Entry /a: a link has a target"),
            ({"path": "/a", "mtime_s": "now"}, "Entry /a: mtime_s is 'now'; give seconds since 1970"),
            ({"path": "/a", "mtime_s": True}, "Entry /a: mtime_s is True; give seconds since 1970"),
        ],
    )
    def test_of_an_entry(self, options: dict[str, Any], said: str) -> None:
        """A value of another kind is refused when the entry is made, not when a sandbox is."""
        with pytest.raises(UsageError, match=f"^{re.escape(said)}"):
            Entry(**options)

    @pytest.mark.parametrize("entries", [Entry("/a"), {"/a": "text"}, "/a", ["/a"], None])
    def test_of_a_tree(self, entries: Any) -> None:
        """What holds no entries is refused, and the message names what takes texts by path."""
        with pytest.raises(UsageError, match=r"^Tree: entries is .*; give a list of Entry, or use Tree\.of"):
            Tree(entries)

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            ("/a", "Tree.of: this is '/a'; give a dict of texts by path"),
            ([("/a", "x")], "Tree.of: this is [('/a', 'x')]; give a dict"),
            ({"/a": None}, "Tree.of: '/a' holds None; give a text or bytes"),
            (
                {"/a": Path("/etc/hostname")},
                "Tree.of: '/a' holds PosixPath('/etc/hostname'); give a text or bytes",
            ),
            ({"/a/": "text"}, "Tree.of: '/a/' is a folder and holds 'text'; give it the empty text"),
            ({"/a//": ""}, "Entry: '/a/' is no path of a tree"),
            ({"/a": "\ud800"}, "Tree.of: in '/a' is half of a surrogate pair; write another text"),
            ({3: "x"}, "Entry: 3 is no path of a tree"),
        ],
    )
    def test_of_files(self, files: Any, said: str) -> None:
        """What is neither a text nor bytes at a path is refused, rather than made a file of something else."""
        with pytest.raises(UsageError, match=f"^{re.escape(said)}"):
            Tree.of(files)

    @pytest.mark.parametrize("path", [None, 3, b"a.tree.json", {"/a": "x"}])
    def test_of_a_file_that_is_read(self, path: Any) -> None:
        """What is no path is refused."""
        with pytest.raises(UsageError, match=r"^Tree\.read: path is .*; give a path"):
            Tree.read(path)

    def test_a_tree_is_added_to_a_tree(self) -> None:
        """A dict is not."""
        with pytest.raises(TypeError, match="unsupported operand"):
            Tree() + {"/a": "x"}  # type: ignore[operator]  # the mistake that is meant

    def test_what_can_only_mean_one_thing(self) -> None:
        """A list of entries, a `Path` and a bytearray are taken, so a tree stays immutable and can be hashed."""
        here: Any = PurePosixPath("/a")
        data: Any = bytearray(b"x")
        tree = Tree([Entry(here, data=data), Entry("/b", "link", target=PurePosixPath("a"))])
        assert tree == Tree((Entry("/a", data=b"x"), Entry("/b", "link", target="a")))
        assert hash(tree) == hash(Tree(tuple(tree.entries)))
        assert Tree.of({here: data}) == Tree((Entry("/a", data=b"x"),))


class TestTexts:
    @pytest.mark.parametrize("path", ["/a\ud800", "/\udfff/b"])
    def test_half_a_character_is_no_name(self, path: str) -> None:
        """A path that the system could not be given is refused, also where it comes from a file."""
        with pytest.raises(UsageError, match="is no path of a tree"):
            Entry(path)
        with pytest.raises(UsageError, match="a link has a target"):
            Entry("/a", "link", target=path)

    @pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e20])
    def test_a_time_that_is_none(self, seconds: float) -> None:
        """A time that no file can have is refused."""
        with pytest.raises(UsageError, match="give seconds since 1970"):
            Entry("/a", mtime_s=seconds)
