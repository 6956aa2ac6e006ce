"""Strategies that go round: some for ever, some until something on the board ends it, or they are stuck."""

from collections.abc import Sequence
from typing import ClassVar

from attrs import evolve, field, frozen
from attrs.validators import ge
from planted import Draft, Hand, Writer, has_rounds_left, is_good, is_noted

from tinysmith import Agent, Halt, Panel, Rule, Strategy, Task


class Note(Writer):
    """Adds to what only ever grows."""

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, notes=(*draft.notes, reply))


def is_at_end(draft: Draft) -> bool:
    return draft.rounds_left == 0


class Ring(Strategy[Draft]):
    """Two agents ask each other for ever, and nothing counts."""

    class Still(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return evolve(draft, text=reply)

    writer, other, done = Still(), Still(), Halt()
    initial = writer
    edges = (writer.to(other), other.to(done, when=is_good), other.to(writer))


class Growing(Strategy[Draft]):
    """The same, but what they write grows, so that no board comes again."""

    writer, done = Note(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(writer))
    allow: ClassVar = {"guard-never-held": "the note is not the text", "edge-never-taken": "as above"}


class Below(Strategy[Draft]):
    """A counter shrinks, but the guard that looks at it misses the end."""

    writer, done = Writer(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_at_end), writer.to(writer))

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(rounds_left=0)


class Nothing(Rule[Draft]):
    def apply(self, draft: Draft, /) -> Draft:
        return evolve(draft, text="nothing")


class Endless(Strategy[Draft]):
    """Rules that lead to rules."""

    class Idle(Rule[Draft]):
        def apply(self, draft: Draft, /) -> Draft:
            return draft

    writer, rule, done = Writer(), Idle(), Halt()
    initial = writer
    edges = (writer.to(rule), rule.to(done, when=is_good), rule.to(rule))


class Long(Strategy[Draft]):
    """A rule that does a little a hundred times."""

    class Down(Rule[Draft]):
        def apply(self, draft: Draft, /) -> Draft:
            return evolve(draft, rounds_left=draft.rounds_left - 1)

    rule, done = Down(), Halt()
    initial = rule
    edges = (rule.to(rule, when=has_rounds_left), rule.to(done))

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(rounds_left=100)


class Trap(Strategy[Draft]):
    """Once the text is fair, no answer leads to the halt."""

    class Loyal(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return draft if draft.text == "fair" else evolve(draft, text=reply)

    writer, hand, done = Loyal(), Hand(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(hand), hand.to(writer))
    allow: ClassVar = {"paid-after-end": "it is about something else"}


class StuckAtOnce(Strategy[Draft]):
    """It is stuck before anybody is asked."""

    rule, done = Nothing(), Halt()
    initial = rule
    edges = (rule.to(done, when=is_good),)
    allow: ClassVar = {"no-otherwise": "nothing is good"}


class RaisingBehindRules(Strategy[Draft]):
    """A guard raises after two rules."""

    writer, rule, last, done, gave_up = Writer(), Nothing(), Nothing(), Halt(), Halt()
    initial = writer
    edges = (writer.to(rule), rule.to(last), last.to(done, when=is_noted), last.to(gave_up))


class Late(Strategy[Draft]):
    """After forty rounds no guard holds."""

    class Slow(Writer):
        samples = ("on",)

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(rounds_left=40)

    writer, done = Slow(), Halt()
    initial = writer
    edges = (writer.to(writer, when=has_rounds_left), writer.to(done, when=is_good))
    allow: ClassVar = {
        "no-otherwise": "it was forgotten",
        "guard-never-held": "as is_good was",
        "no-exit": "as above",
    }


def is_well_noted(draft: Draft) -> bool:
    return len(draft.notes) >= 14


class Bench(Panel[Draft]):
    samples: ClassVar[tuple[str, ...]] = ("good", "fair")

    def prompts(self, draft: Draft, /) -> Sequence[str]:
        return ("One.", "Two.")

    def parse(self, draft: Draft, replies: Sequence[str], /) -> Draft:
        return evolve(draft, text=replies[0], rounds_left=draft.rounds_left - 1)


class Votes(Strategy[Draft]):
    """Nothing is wrong with it: a panel votes for as long as rounds are left."""

    bench, done, gave_up = Bench(), Halt(success=True), Halt()
    initial = bench
    edges = (bench.to(done, when=is_good), bench.to(bench, when=has_rounds_left), bench.to(gave_up))


@frozen
class Tally:
    """Boards that end by other means than a counter that shrinks."""

    count: int = 0
    most: int = 300
    notes: tuple[str, ...] = ()
    plan: tuple[int, ...] = tuple(range(300))


class Adder(Agent[Tally]):
    samples: ClassVar[tuple[str, ...]] = ("a",)

    def prompt(self, tally: Tally, /) -> str:
        return f"{tally.count} {len(tally.notes)} {tally.plan[:1]}"

    def parse(self, tally: Tally, reply: str, /) -> Tally:
        return evolve(tally, count=tally.count + 1, notes=(*tally.notes, reply), plan=tally.plan[1:])


def is_counted(tally: Tally) -> bool:
    return tally.count >= tally.most


def is_full(tally: Tally) -> bool:
    return len(tally.notes) >= 300


def is_worked_off(tally: Tally) -> bool:
    return not tally.plan


class CountsUp(Strategy[Tally]):
    adder, done = Adder(), Halt()
    initial = adder
    edges = (adder.to(done, when=is_counted), adder.to(adder))
    allow: ClassVar = {"guard-never-held": "it takes 300 rounds"}


class FillsUp(Strategy[Tally]):
    adder, done = Adder(), Halt()
    initial = adder
    edges = (adder.to(done, when=is_full), adder.to(adder))
    allow: ClassVar = {"guard-never-held": "it takes 300 rounds"}


class WorksOff(Strategy[Tally]):
    adder, done = Adder(), Halt()
    initial = adder
    edges = (adder.to(done, when=is_worked_off), adder.to(adder))
    allow: ClassVar = {"guard-never-held": "it takes 300 rounds"}


@frozen
class Positive:
    """A counter whose validator stands in the way of extremes."""

    left: int = field(default=300, validator=ge(1))


def is_used_up(board: Positive) -> bool:
    return board.left == 1


class Slow(Strategy[Positive]):
    class Down(Agent[Positive]):
        samples: ClassVar[tuple[str, ...]] = ("a",)

        def prompt(self, board: Positive, /) -> str:
            return f"{board.left}"

        def parse(self, board: Positive, reply: str, /) -> Positive:
            return evolve(board, left=board.left - 1)

    down, done = Down(), Halt()
    initial = down
    edges = (down.to(done, when=is_used_up), down.to(down))
    allow: ClassVar = {"guard-never-held": "it takes 300 rounds"}


class Bushy(Strategy[Draft]):
    """Nothing is wrong with it: rounds are counted, but there are very many ways through them."""

    writer, done = Note(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_well_noted), writer.to(writer))


class Reading(Strategy[Draft]):
    """Nothing is wrong with it: only a rule reads the notes."""

    class Count(Rule[Draft]):
        def apply(self, draft: Draft, /) -> Draft:
            return evolve(draft, text=f"{len(draft.notes)}")

    writer, rule, done = Writer(), Count(), Halt()
    initial = writer
    edges = (writer.to(rule), rule.to(done))


@frozen
class Budget:
    """What may be spent."""

    left: int = 250


@frozen
class Funded:
    """A board whose counter is in a class of its own."""

    budget: Budget = Budget()
    texts: tuple[str, ...] = ()


class Spender(Agent[Funded]):
    """Spends one, whatever is said."""

    samples = ("good", "fair")

    def prompt(self, funded: Funded, /) -> str:
        return f"{funded.budget.left} are left. {len(funded.texts)} were said."

    def parse(self, funded: Funded, reply: str, /) -> Funded:
        return Funded(Budget(funded.budget.left - 1), (*funded.texts, reply))


def is_spent(funded: Funded) -> bool:
    return funded.budget.left <= 0


def is_exactly_spent(funded: Funded) -> bool:
    return funded.budget.left == -1_000


class Nested(Strategy[Funded]):
    """A counter in a class within the board leads out, too late for the search."""

    spender, done = Spender(), Halt()
    initial = spender
    edges = (spender.to(done, when=is_spent), spender.to(spender))
    allow: ClassVar = {"guard-never-held": "too far"}


class NestedBelow(Strategy[Funded]):
    """The same, but the guard misses the end."""

    spender, done = Spender(), Halt()
    initial = spender
    edges = (spender.to(done, when=is_exactly_spent), spender.to(spender))
    allow: ClassVar = {"guard-never-held": "too far"}
