"""The conformance suite, first half: what every store does alike."""

from functools import partial
from itertools import count

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import LONG, OWNER, Opened, at_once, claimed, head, kept, row

from tinysmith.journal._packing import text_in
from tinysmith.journal._rows import Entry, Head, Owner, Row, Store, Taken, Text

NUMBERS = count(1)


def batches() -> st.SearchStrategy[list[Entry]]:
    texts = st.lists(st.integers(0, 3).map(lambda n: Text(bytes([n]), b"content", False)), max_size=2).map(tuple)
    runs = st.integers(0, 2)
    heads = st.builds(Head, runs, body=st.binary(), seal=st.binary(), texts=texts)
    rows = st.builds(row, runs, st.integers(1, 6), body=st.binary(), texts=texts)
    return st.lists(heads | rows, max_size=5)


def moved(entry: Entry, start: int) -> Entry:
    texts = tuple(evolve(text, digest=(start + text.digest[0]).to_bytes(8, "big")) for text in entry.texts)
    return evolve(entry, run=start + entry.run, texts=texts)


class TestWrite:
    def test_row(self, store: Store) -> None:
        """What is written is read as it was, but its texts are read apart."""
        store.write([row(LONG, 1)])
        assert list(store.rows(LONG)) == [row(LONG, 1)]

    def test_empty(self, store: Store) -> None:
        """Nothing can be written, too."""
        store.write([])
        assert store.heads() == []

    def test_head(self, store: Store) -> None:
        """Heads are read as they were, all or one."""
        first, second = head(1, owner="me", parent=LONG, shared=3), head(LONG)
        store.write([first, second])
        assert sorted(store.heads(), key=lambda each: each.run) == [first, second]
        assert (store.head(1), store.head(LONG), store.head(5)) == (first, second, None)

    def test_many(self, store: Store) -> None:
        """More rows than one statement takes are written at once, too."""
        store.write([row(run, seq) for seq in range(1, 4) for run in range(1, 401)])
        assert [list(store.rows(run)) for run in (1, 400)] == [
            [row(1, 1), row(1, 2), row(1, 3)],
            [row(400, 1), row(400, 2), row(400, 3)],
        ]

    def test_texts(self, store: Store) -> None:
        """A text is kept once, however often it is said, and is found by its digest."""
        body, large = kept("ä" * 2000)
        store.write([row(1, 1, body=body, texts=(large, large)), head(1, texts=(large,))])
        store.write([row(1, 2, body=body, texts=(large,))])
        assert store.texts([large.digest, b"nothing", large.digest]) == {large.digest: large}
        assert text_in(store.texts([large.digest])[large.digest]) == "ä" * 2000
        assert [each.texts for each in store.rows(1)] == [(), ()]

    def test_many_texts(self, store: Store) -> None:
        """More texts than one statement takes are found, too."""
        texts = [Text(number.to_bytes(16, "big"), b"x", False) for number in range(1100)]
        store.write([row(1, 1, texts=tuple(texts))])
        assert store.texts(text.digest for text in texts) == {text.digest: text for text in texts}

    def test_lets_go(self, store: Store) -> None:
        """A row that lets go leaves its run, and no other, to nobody; also in the batch that makes the run."""
        store.write([head(1, owner="me"), head(2, owner="me"), head(3, owner="me"), row(3, 1, lets_go=True)])
        store.write([row(1, 1, lets_go=True)])
        let_go = {each.run: (each.owner, each.known) for each in store.heads()}
        assert let_go == {1: (None, 1), 2: ("me", 0), 3: (None, 1)}

    def test_taken(self, store: Store) -> None:
        """A row or a run that is there stays as it is, and is Taken for whoever comes second."""
        store.write([head(1), row(1, 1)])
        for second in (row(1, 1, body=b"[2]"), head(1, owner="me")):
            with pytest.raises(Taken):
                store.write([second])
        assert (store.head(1), list(store.rows(1))) == (head(1), [row(1, 1)])

    def test_taken_lets_go(self, store: Store) -> None:
        """A row that is Taken lets nothing go."""
        store.write([head(1, owner="me"), row(1, 1)])
        with pytest.raises(Taken):
            store.write([row(1, 1, lets_go=True)])
        assert store.head(1) == head(1, owner="me")

    def test_goes_on(self, store: Store) -> None:
        """After a refusal the store is as good as before."""
        store.write([row(1, 1)])
        with pytest.raises(Taken):
            store.write([row(1, 2), row(1, 1)])
        store.write([row(1, 2)])
        assert [each.seq for each in store.rows(1)] == [1, 2]

    @given(drawn=st.lists(batches(), max_size=6))
    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_all_or_nothing(self, store: Store, drawn: list[list[Entry]]) -> None:
        """Whatever the batches, each is written whole, or, if something in it is there already, not at all."""
        heads: dict[int, Head] = {}
        rows: dict[tuple[int, int], Row] = {}
        texts: dict[bytes, Text] = {}
        start = 1000 * next(NUMBERS)  # each example has runs and texts of its own
        for batch in ([moved(entry, start) for entry in entries] for entries in drawn):
            keys = [(entry.run, entry.seq if isinstance(entry, Row) else 0) for entry in batch]
            is_new = len({*keys}) == len(keys) and not {*keys} & {*rows, *((run, 0) for run in heads)}
            if not is_new:
                with pytest.raises(Taken):
                    store.write(batch)
                continue
            store.write(batch)
            for entry in batch:
                texts |= {text.digest: text for text in entry.texts}
                if isinstance(entry, Head):
                    heads[entry.run] = entry
                else:
                    rows[entry.run, entry.seq] = entry
        runs = range(start, start + 3)
        assert {run: found for run in runs if (found := store.head(run))} == {
            run: Head(each.run, each.body, each.seal) for run, each in heads.items()
        }
        assert [(each.run, each.seq, each.body) for run in runs for each in store.rows(run)] == [
            (run, seq, rows[run, seq].body) for run, seq in sorted(rows)
        ]
        assert store.texts((start + n).to_bytes(8, "big") for n in range(4)) == texts


class TestRows:
    def test_order(self, store: Store) -> None:
        """A run's rows come in order, whatever the order in which they were written, and no other run's."""
        store.write([row(1, 3), row(2, 1), row(1, 1), row(1, 2)])
        assert [each.seq for each in store.rows(1)] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("first", "last", "seqs"), [(2, None, [2, 3]), (1, 2, [1, 2]), (2, 2, [2]), (3, 1, []), (9, None, [])]
    )
    def test_part(self, store: Store, first: int, last: int | None, seqs: list[int]) -> None:
        """A part of them is asked for by its first and its last."""
        store.write([row(1, seq) for seq in (1, 2, 3)])
        assert [each.seq for each in store.rows(1, first, last)] == seqs

    def test_at_once(self, store: Store) -> None:
        """They are as they were when they were asked for, not when they are looked at."""
        store.write([row(1, 1)])
        rows = store.rows(1)
        store.write([row(1, 2)])
        assert [each.seq for each in rows] == [1]

    def test_last(self, store: Store) -> None:
        """Of each run that has rows, the last is found."""
        store.write([head(3), row(1, 1), row(2, 1), row(1, 2)])
        assert store.last_rows() == {1: row(1, 2), 2: row(2, 1)}


class TestOwners:
    def test_beats(self, store: Store) -> None:
        """An owner is known by its name, and every beat counts."""
        store.add_owner(OWNER)
        assert (store.owner("me"), store.owner("you")) == (OWNER, None)
        store.beat("me")
        store.beat("me")
        assert store.owner("me") == Owner("me", "machine", 7, "since", 2)

    def test_remove(self, store: Store) -> None:
        """An owner that is removed is forgotten, and holds nothing any more; others do."""
        store.add_owner(OWNER)
        store.write([head(1, owner="me"), head(2, owner="you")])
        store.remove_owner("me")
        assert store.owner("me") is None
        assert {each.run: each.owner for each in store.heads()} == {1: None, 2: "you"}


class TestClaim:
    @pytest.mark.parametrize(("whose", "instead_of"), [(None, None), ("dead", "dead")])
    def test_claimed(self, store: Store, whose: str | None, instead_of: str | None) -> None:
        """A run of nobody, or of the owner that is named, is handed over, with a row."""
        body, large = kept("x" * 5000)
        store.write([head(1, owner=whose)])
        assert store.claim(row(1, 1, body=body, texts=(large,)), "me", instead_of)
        assert store.head(1) == evolve(head(1, owner="me"), known=1)
        assert list(store.rows(1)) == [row(1, 1, body=body)]
        assert store.texts([large.digest]) == {large.digest: large}

    @pytest.mark.parametrize(
        ("whose", "instead_of"), [("you", None), ("you", "dead"), (None, "dead"), ("you", "me")]
    )
    def test_refused(self, store: Store, whose: str | None, instead_of: str | None) -> None:
        """A run that is somebody else's by now stays so, and nothing is written."""
        store.write([head(1, owner=whose)])
        assert not store.claim(row(1, 1), "me", instead_of)
        assert (store.head(1), list(store.rows(1))) == (head(1, owner=whose), [])

    def test_unknown(self, store: Store) -> None:
        """A run that is not there is nobody's to claim."""
        assert not store.claim(row(1, 1), "me", None)
        assert list(store.rows(1)) == []

    def test_taken(self, store: Store) -> None:
        """A run whose next row is there already is not handed over."""
        store.write([head(1), row(1, 1)])
        with pytest.raises(Taken):
            store.claim(row(1, 1, body=b"[2]"), "me", None)
        assert (store.head(1), list(store.rows(1))) == (head(1), [row(1, 1)])

    def test_at_once(self, open_one: Opened) -> None:
        """Of several that claim a run at the same time one has it, and each other is refused."""
        stores = [open_one() for _ in range(4)]
        for run in range(1, 6):
            stores[0].write([head(run)])
            said = at_once([partial(claimed, each, run, f"{n}") for n, each in enumerate(stores)])
            assert sorted(map(str, said)) == ["False", "False", "False", "True"]
            assert len(list(stores[0].rows(run))) == 1
