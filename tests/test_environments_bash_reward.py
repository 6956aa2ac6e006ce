"""InterCode's reward for Bash: changes as git shows them, content, and words of the output."""

import math
import subprocess
from itertools import permutations
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysmith.environments._bash_reward import Ended, Fidelity, changes, likeness, quoted, similarity
from tinysmith.environments._listing import Listed, Listing

SKLEARN = 0.4743307064971939  # scikit-learn 1, of "The the cat, a" and "the Dog"
FIDELITIES = get_args(Fidelity)
BEFORE: Listing = {
    "work": Listed("d"),
    "work/a.txt": Listed("f", size=1, md5="1"),
    "work/run.sh": Listed("f", is_executable=True, size=1, md5="2"),
    "work/link": Listed("l", target="a.txt"),
    "work/deep": Listed("d"),
    "work/deep/b.txt": Listed("f", size=1, md5="3"),
    "empty": Listed("d"),
}
WORDS = st.text(st.sampled_from("ab Ä_0\n"), max_size=12) | st.text(max_size=12)
NAMES = st.sampled_from(["a", "a.b", "c d", "usr", "é", "x"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
LISTED = st.builds(
    Listed,
    st.sampled_from("fldp"),
    is_executable=st.booleans(),
    size=st.integers(0, 1),
    target=st.sampled_from(["", "a", "../x", "/a.b"]),
    md5=st.sampled_from(["", "1", "2"]),
)
LISTINGS = st.dictionaries(PATHS, LISTED, max_size=4)


def after(**added: Listed | None) -> Listing:
    """The first files with others, or without some; `__` in a name is a slash, `_` a dot."""
    named = {name.replace("__", "/").replace("_", "."): each for name, each in added.items()}
    return {path: each for path, each in {**BEFORE, **named}.items() if each is not None}


def a_file(md5: str = "9", *, is_executable: bool = False) -> Listed:
    """A file of one byte."""
    return Listed("f", is_executable, 1, md5=md5)


class TestChanges:
    @pytest.mark.parametrize("fidelity", FIDELITIES)
    @pytest.mark.parametrize(
        ("files", "shown"),
        [
            (after(), set()),
            (after(work__a_txt=None), {("work/a.txt", "D")}),
            (after(work__a_txt=a_file("8")), {("work/a.txt", "M")}),
            (after(work__a_txt=a_file("1", is_executable=True)), {("work/a.txt", "M")}),
            (after(work__link=Listed("l", target="b.txt")), {("work/link", "M")}),
            (after(work__link=a_file()), {("work/link", "T")}),
            (after(work__a_txt=Listed("p")), {("work/a.txt", "D")}),
            (after(work__new_txt=a_file()), {("work/new.txt", "??")}),
            (after(new_txt=Listed("l", target="x")), {("new.txt", "??")}),
            (after(work__new=Listed("d"), pipe=Listed("p")), set()),
            (after(work__new__x__y=a_file(), work__new__z=a_file()), {("work/new/", "??")}),
            (after(empty__x=a_file()), {("empty/", "??")}),
            (
                after(work__deep__b_txt=None, work__deep__c=a_file()),
                {("work/deep/b.txt", "D"), ("work/deep/c", "??")},
            ),
            (
                after(work__a_txt=Listed("d"), work__a_txt__x=a_file()),
                {("work/a.txt", "D"), ("work/a.txt/", "??")},
            ),
        ],
    )
    def test_shown(self, files: Listing, shown: set[tuple[str, str]], fidelity: Fidelity) -> None:
        """Files and links that went, changed or came are shown; a new folder as one, an empty one not at all."""
        assert changes(BEFORE, files, fidelity) == shown

    def test_unreadable(self) -> None:
        """A file of which nothing is known any more has changed."""
        assert changes(BEFORE, after(work__a_txt=Listed("f", size=1)), "strict") == {("work/a.txt", "M")}

    def test_ignored(self) -> None:
        """InterCode ignores what is named like a folder of the system, wherever it is."""
        files = after(work__bin__x=a_file(), work__deep__lib=a_file())
        assert changes(BEFORE, files, "intercode") == set()
        assert changes(BEFORE, files, "strict") == {("work/bin/", "??"), ("work/deep/lib", "??")}

    def test_blanks(self) -> None:
        """InterCode splits at blanks, so that a path with one shifts what follows; strictly it is a path."""
        files = {"my file": a_file(), "z": a_file()}
        assert changes({}, files, "intercode") == {('"my', "??"), ("??", 'file"'), ("", "z")}
        assert changes({}, files, "strict") == {("my file", "??"), ("z", "??")}

    @pytest.mark.parametrize(
        ("path", "written"),
        [
            ("a/b.c", "a/b.c"),
            ("a b", '"a b"'),
            ('"', '"\\""'),
            ("\\\t\x01", '"\\\\\\t\\001"'),
            ("é", '"\\303\\251"'),
            ("\udcff", '"\\377"'),
        ],
    )
    def test_quoted(self, path: str, written: str) -> None:
        """A path is quoted as C does where a blank, a quote, a backslash or no printable ASCII is in it."""
        assert quoted(path) == written

    def test_git(self, tmp_path: Path) -> None:
        """Git itself says the same of such files."""
        for path in ("w/a", "w/b c", "w/d/e", "w/f", "w/é", "g"):
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(path)

        def git(*words: str) -> str:
            options = ["-c", "user.name=x", "-c", "user.email=x", "-c", "core.quotePath=true"]
            ran = subprocess.run(
                ["git", *options, *words], cwd=tmp_path, check=True, capture_output=True, text=True
            )
            return ran.stdout

        git("init", "-q")
        git("add", "-A")
        git("commit", "-qm", "x")
        before = listed(tmp_path)
        (tmp_path / "w/a").write_text("other")
        (tmp_path / "w/d/e").unlink()
        (tmp_path / "w/f").chmod(0o755)
        (tmp_path / "g").unlink()
        (tmp_path / "g").symlink_to("w")
        for path in ("n/m/o", "n/p", "w/d/q", "r s", "bin/t", "w/u\tv"):
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(path)
        (tmp_path / ".git/info/exclude").write_text("bin\n")
        words = git("status", "--short").split()
        said = {(words[place + 1], words[place]) for place in range(0, len(words) - 1, 2)}
        odd = {("", words[-1])} if len(words) % 2 else set()
        assert changes(before, listed(tmp_path), "intercode") == said | odd


def listed(folder: Path) -> Listing:
    """What is in a folder of the host, its content in the place of the hash."""
    found: dict[str, Listed] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = Listed("l", target=str(path.readlink()))
        elif path.is_dir():
            found[name] = Listed("d")
        else:
            size, is_executable = path.stat().st_size, bool(path.stat().st_mode & 0o100)
            found[name] = Listed("f", is_executable, size, md5=path.read_bytes().hex())
    return found


class TestLikeness:
    @pytest.mark.parametrize("fidelity", FIDELITIES)
    def test_same(self, fidelity: Fidelity) -> None:
        """Equal files and outputs are worth 1, whatever they are."""
        end = Ended(after(new_txt=a_file()), "out")
        assert likeness(end, end, BEFORE, fidelity).score == 1.0

    @pytest.mark.parametrize(
        ("extra", "score", "part"), [(1, 0.72, 1 - math.erf(1)), (2, 0.67, 1 - math.erf(2)), (9, 0.67, 0.0)]
    )
    def test_changes(self, extra: int, score: float, part: float) -> None:
        """One path that only one side changed costs 0.28, two cost the whole third."""
        mine = Ended({**BEFORE, **{f"{number}.txt": a_file() for number in range(extra)}}, "out")
        for one, other in permutations((mine, Ended(BEFORE, "out"))):
            found = likeness(one, other, BEFORE, "intercode")
            assert (found.score, found.file_diff, found.file_changes) == (score, part, 1.0)

    def test_content(self) -> None:
        """Of what both added, the share with equal content counts; InterCode looks into no modified file."""
        mine = Ended(after(new_txt=a_file("1"), other_txt=a_file("2"), work__a_txt=a_file("3")), "")
        right = Ended(after(new_txt=a_file("1"), other_txt=a_file("9"), work__a_txt=a_file("4")), "")
        found = likeness(mine, right, BEFORE, "intercode")
        assert (found.score, found.file_changes) == (0.84, 0.5)
        assert likeness(mine, right, BEFORE, "strict").file_changes == pytest.approx(1 / 3)

    @pytest.mark.parametrize(
        ("ours", "right", "same"),
        [
            (a_file("3"), a_file("3"), 1.0),
            (a_file("3"), a_file("4"), 0.0),
            (a_file("3"), a_file("3", is_executable=True), 0.0),
            (Listed("l", target="x"), Listed("l", target="x"), 1.0),
            (Listed("l", target="x"), Listed("l", target="y"), 0.0),
            (None, None, 1.0),
        ],
    )
    def test_modified(self, ours: Listed | None, right: Listed | None, same: float) -> None:
        """Strictly, what is in a file that both modified counts, and where a link leads that took its place."""
        mine, wanted = (Ended(after(work__a_txt=each), "") for each in (ours, right))
        assert likeness(mine, wanted, BEFORE, "intercode").score == 1.0
        found = likeness(mine, wanted, BEFORE, "strict")
        assert (found.file_diff, found.file_changes) == (1.0, same)

    @pytest.mark.parametrize(
        ("name", "intercode", "strict"), [("new", 1.0, 0.0), ("new__x_txt", 1.0, 0.0), ("new_txt", 0.0, 0.0)]
    )
    def test_folders(self, name: str, intercode: float, strict: float) -> None:
        """To InterCode, added paths without a dot are always the same; strictly all that is in them counts."""
        mine, right = (Ended(after(**{name: a_file(md5)}), "") for md5 in "12")
        assert likeness(mine, right, BEFORE, "intercode").file_changes == intercode
        assert likeness(mine, right, BEFORE, "strict").file_changes == strict

    def test_folder_of_folders(self) -> None:
        """Strictly, a folder is the same with the same folders, links and files in it; their sizes are nothing."""
        inner = {"new__x": a_file(), "new__l": Listed("l", target="x")}
        mine = Ended(after(**inner, new=Listed("d", size=1), new__d=Listed("d", size=1)), "")
        same = Ended(after(**inner, new=Listed("d", size=1), new__d=Listed("d", size=2)), "")
        less = Ended(after(**inner, new=Listed("d", size=1)), "")
        assert likeness(mine, same, BEFORE, "strict").score == 1.0
        assert likeness(mine, less, BEFORE, "strict").file_changes == 0.0

    def test_dotted_folder(self) -> None:
        """To InterCode, added folders with a dot are the same: md5sum refuses both."""
        mine, right = (Ended(after(new_d__x=a_file(md5)), "") for md5 in "12")
        assert likeness(mine, right, BEFORE, "intercode").score == 1.0

    @pytest.mark.parametrize(
        ("target", "same"),
        [("work/a.txt", 1.0), ("./work/../work/a.txt", 1.0), ("/work/link", 1.0), ("gone", 0.0), ("new.l", 0.0)],
    )
    def test_links(self, target: str, same: float) -> None:
        """To InterCode, an added link has the content of the file that it leads to, and none if there is none."""
        mine = Ended(after(new_l=Listed("l", target=target)), "")
        right = Ended(after(new_l=Listed("l", target="work/a.txt")), "")
        assert likeness(mine, right, BEFORE, "intercode").file_changes == same

    def test_unlisted(self) -> None:
        """Files that cannot be told any more are like none; the output still counts."""
        found = likeness(Ended(None, "two words"), Ended(BEFORE, "two words"), BEFORE, "intercode")
        assert (found.score, found.file_diff, found.file_changes) == (0.34, 0.0, 0.0)

    def test_nearly(self) -> None:
        """Outputs that are nearly the same are worth all, as in InterCode."""
        words = " ".join(f"word{number}" for number in range(200))
        found = likeness(Ended({}, words), Ended({}, f"{words} more"), {}, "intercode")
        assert found.answer_similarity < 1
        assert found.score == 1.0

    @settings(max_examples=40)
    @given(LISTINGS, LISTINGS, LISTINGS, WORDS, WORDS, st.sampled_from(FIDELITIES))
    def test_bounds(
        self, first: Listing, mine: Listing, right: Listing, said: str, answer: str, fidelity: Fidelity
    ) -> None:
        """A score is hundredths from 0.01 to 1, the same for either side's; 1 against itself."""
        one, other = Ended(mine, said), Ended(right, answer)
        found = likeness(one, other, first, fidelity)
        assert round(found.score * 100) / 100 == found.score
        assert 0.01 <= found.score <= 1.0
        assert likeness(other, one, first, fidelity) == found
        assert likeness(one, one, first, fidelity).score == 1.0


class TestSimilarity:
    def test_formula(self) -> None:
        """It is what scikit-learn's TfidfVectorizer says of these two texts."""
        rare = 1 + math.log(1.5)
        expected = 2 / math.sqrt((4 + rare**2) * (1 + rare**2))
        assert similarity("The the cat, a", "the Dog") == pytest.approx(expected)
        assert expected == pytest.approx(SKLEARN)

    @pytest.mark.parametrize(
        ("left", "right", "same"), [("", "", 1), (" ", "", 0), ("a b", "a b", 1), ("a", "b", 0), ("", "word", 0)]
    )
    def test_no_words(self, left: str, right: str, same: float) -> None:
        """Texts without a word of two letters are compared as they are; against words they are nothing."""
        assert similarity(left, right) == same

    def test_order(self) -> None:
        """The order of words, their case and what is between them do not count."""
        assert similarity("one two", "TWO; one\n") == pytest.approx(1.0)

    @given(WORDS, WORDS)
    def test_bounds(self, left: str, right: str) -> None:
        """It is 0 to 1, the same either way, and 1 of a text to itself."""
        assert 0.0 <= similarity(left, right) <= 1.0
        assert similarity(left, right) == similarity(right, left)
        assert similarity(left, left) == pytest.approx(1.0)
