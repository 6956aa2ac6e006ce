"""The tree of errors: as drawn, picklable, and with messages that say where, what and what to do."""

import copy
import pickle
import re
from collections.abc import Iterator

import pytest

from tinysmith import Done, errors
from tinysmith.errors import (
    DefinitionError,
    Finding,
    GuardError,
    JournalError,
    ModelError,
    NoEdgeError,
    ParseError,
    ReplayDiverged,
    RunError,
    RunOver,
    TinysmithError,
)

FINDING = Finding("no-exit", "Refine.critic", "it never ends.", "Add an edge.")
WHERE = {"strategy": "Refine", "node": "critic", "step": 4}


def below(kind: type[TinysmithError]) -> Iterator[type[TinysmithError]]:
    """A class and all that are derived from it in `tinysmith.errors`."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from below(child)


def example(kind: type[TinysmithError]) -> TinysmithError:
    """An error of that class with every attribute set."""
    if issubclass(kind, DefinitionError):
        return kind([FINDING])
    if issubclass(kind, ParseError):
        return kind("Answer yes or no.", seats=[0, 2])
    if issubclass(kind, NoEdgeError):
        return kind(["is_clean", "is_spent"], strategy="Refine", node="critic", step=4)
    if issubclass(kind, RunError):
        return kind("it is stuck.", strategy="Refine", node="critic", step=4)
    if issubclass(kind, RunOver):
        return kind(Done("solved", success=True))
    if issubclass(kind, ModelError):
        return kind("Too many.", model="groq/llama", status=429, retry_after_s=2.5)
    if issubclass(kind, JournalError):
        return kind("This row is damaged.", place="runs.db", run="00f", row=3)
    if issubclass(kind, ReplayDiverged):
        return kind("it asks something else", run="00f", step=3, recorded="'ls'", now="'pwd'")
    return kind("It is broken.")


EVERY = sorted(below(TinysmithError), key=lambda kind: kind.__name__)


class TestTree:
    def test_the_drawing_is_the_hierarchy(self) -> None:
        """The tree in the module's docstring names exactly the classes that exist, each under its base."""
        drawn: dict[str, str | None] = {}
        path: list[str] = []
        for line in (errors.__doc__ or "").splitlines()[2:]:
            match = re.fullmatch(r"((?:[│ ] {3})*)([├└]── )?(\w+)(?: {2,}.*)?", line)
            assert match, line
            depth = len(match[1]) // 4 + bool(match[2])
            path[depth:] = [match[3]]
            assert match[3] not in drawn
            drawn[match[3]] = path[-2] if depth else None
        real = {kind.__name__: kind.__base__.__name__ if kind.__base__ else "" for kind in EVERY}
        assert drawn == real | {"TinysmithError": None}

    def test_every_error_is_in_the_tree(self) -> None:
        """No exception class of the module stands outside the tree."""
        public = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}
        assert public == set(EVERY)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
class TestCopies:
    @pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
    def test_a_copy_says_the_same(self, kind: type[TinysmithError], way: type[TinysmithError]) -> None:
        """A pickled or copied error has the class, message, arguments, notes and attributes of the first."""
        error = example(kind)
        error.add_note("Raised on a Tuesday.")
        twin = way(error)
        assert type(twin) is kind
        assert str(twin) == str(error)
        assert twin.args == error.args
        assert vars(twin) == vars(error)

    def test_it_is_described(self, kind: type[TinysmithError]) -> None:
        """Every class has a docstring of its own."""
        assert vars(kind).get("__doc__")


class TestFinding:
    def test_it_reads_as_a_sentence(self) -> None:
        """A finding says where, what, what to do, and which check it was."""
        assert str(FINDING) == "Refine.critic: it never ends. Add an edge. [no-exit]"


class TestDefinitionError:
    def test_one_finding_is_the_message(self) -> None:
        """A single finding stands alone on one line."""
        error = DefinitionError([FINDING])
        assert str(error) == str(FINDING)
        assert error.findings == (FINDING,)

    def test_several_findings_are_listed(self) -> None:
        """Several findings are counted, and each has its line."""
        error = DefinitionError([FINDING, FINDING])
        assert str(error).splitlines() == ["2 findings:", f"  {FINDING}", f"  {FINDING}"]


class TestParseError:
    def test_seats(self) -> None:
        """The seats are kept as a tuple; None means all of them."""
        assert ParseError("No.", seats=[1]).seats == (1,)
        assert ParseError("No.").seats is None
        assert ParseError("No.").message == str(ParseError("No.")) == "No."


class TestRunError:
    def test_it_says_where(self) -> None:
        """The message begins with strategy, node and step, which are also attributes."""
        error = GuardError("its guard raised.", strategy="Refine", node="critic", step=4)
        assert str(error) == "Refine.critic, step 4: its guard raised."
        assert {name: getattr(error, name) for name in WHERE} == WHERE

    def test_no_edge_names_the_guards_and_the_remedy(self) -> None:
        """A missing edge is told with the guards that were tried and the edge that would help."""
        error = NoEdgeError(["is_clean", "is_spent"], strategy="Refine", node="critic", step=4)
        assert str(error) == (
            "Refine.critic, step 4: none of its guards holds (tried is_clean, is_spent). "
            "End its edges with one that has no `when`, e.g. `critic.to(gave_up)`."
        )
        assert error.tried == ("is_clean", "is_spent")


class TestRunOver:
    def test_it_carries_the_run(self) -> None:
        """The result is on the exception, and its outcome in the message."""
        done = Done("solved")
        error = RunOver(done)
        assert error.run is done
        assert "The run is over: solved." in str(error)


class TestModelError:
    def test_the_model_comes_first(self) -> None:
        """The message begins with the model's name, where it has one."""
        assert str(ModelError("Too many.", model="groq/llama")) == "groq/llama: Too many."
        assert str(ModelError("Too many.")) == "Too many."

    def test_kinds_are_distinct(self) -> None:
        """Every model error has a kind of its own, so that a `Failed` event tells them apart."""
        kinds = [kind.kind for kind in below(ModelError) if issubclass(kind, ModelError)]
        assert len(kinds) == len(set(kinds))

    def test_what_may_be_tried_again(self) -> None:
        """A crowded, broken or slow server is tried again, and nothing else."""
        again = {k.__name__ for k in below(ModelError) if issubclass(k, ModelError) and k.is_retryable}
        assert again == {"RateLimited", "ServerError", "ModelTimeout"}
