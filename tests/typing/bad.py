"""The mistakes that the declaration syntax promises to catch, each on a line that says what mypy calls it."""

from attrs import evolve, field, frozen

from tinysmith import Agent, Field, Halt, Observation, Strategy, Typed, World
from tinysmith.memory import Memory, Recall, Summarise


@frozen
class Draft:
    """The board of the strategies below."""

    text: str = ""
    is_clean: bool = False


@frozen
class Ledger:
    """Another board."""

    sum_usd: float = 0.0
    memory: Memory = field(default=Memory())


@frozen
class Verdict:
    """The reply of the typed agents below."""

    is_clean: bool


def is_clean(draft: Draft) -> bool:
    """The draft needs no more work."""
    return draft.is_clean


def is_even(ledger: Ledger) -> bool:
    """The ledger balances."""
    return ledger.sum_usd == 0


def has_text(draft: Draft) -> str:
    """Answers with the text itself instead of True or False."""
    return draft.text


class Writer(Agent[Draft]):
    """A sound agent."""

    def prompt(self, draft: Draft, /) -> str:
        return f"Write. So far: {draft.text}"

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, text=reply)


class Shell(World[Draft]):
    """A sound world node."""

    def action(self, draft: Draft, /) -> str:
        return draft.text

    def observe(self, draft: Draft, seen: Observation, /) -> Draft:
        return evolve(draft, is_clean=seen.terminated)


class Bookkeeper(Agent[Ledger]):
    """A sound agent over another board."""

    def prompt(self, ledger: Ledger, /) -> str:
        return f"{ledger.sum_usd}"

    def parse(self, ledger: Ledger, reply: str, /) -> Ledger:
        return evolve(ledger, sum_usd=float(reply))


class MisspellsPrompt(Agent[Draft]):
    """Reads a board field that is not there."""

    def prompt(self, draft: Draft, /) -> str:
        return f"Write. So far: {draft.txt}"  # expect: attr-defined

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, text=reply)


class MisspellsEvolve(Agent[Draft]):
    """Sets a board field that is not there."""

    def prompt(self, draft: Draft, /) -> str:
        return f"Write. So far: {draft.text}"

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, txt=reply)  # expect: call-arg


class MisspellsObservation(World[Draft]):
    """Reads a field of the observation that is not there."""

    def action(self, draft: Draft, /) -> str:
        return draft.text

    def observe(self, draft: Draft, seen: Observation, /) -> Draft:
        return evolve(draft, is_clean=seen.is_terminated)  # expect: attr-defined


class ReturnsNoBoard(Agent[Draft]):
    """Parses a reply into a text instead of a board."""

    def prompt(self, draft: Draft, /) -> str:
        return f"Write. So far: {draft.text}"

    def parse(self, draft: Draft, reply: str, /) -> str:  # expect: override
        return reply


class HasNoParse(Agent[Draft]):
    """Never says what becomes of a reply."""

    def prompt(self, draft: Draft, /) -> str:
        return f"Write. So far: {draft.text}"


class MistakesReply(Typed[Draft, Verdict]):
    """Takes a reply of another type than it says."""

    def prompt(self, draft: Draft, /) -> str:
        return f"Judge: {draft.text}"

    def accept(self, draft: Draft, reply: Ledger, /) -> Draft:  # expect: override
        return draft


class HasNoAccept(Typed[Draft, Verdict]):
    """Never says what becomes of a reply."""

    def prompt(self, draft: Draft, /) -> str:
        return f"Judge: {draft.text}"


class MisspellsNames(Strategy[Draft]):
    """Names that are not there."""

    writer = Writer()
    shell = Shell()
    done = Halt(success=True)

    initial = writer
    edges = (
        writer.to(shel),  # expect: name-defined
        shell.to(done, when=is_claen),  # expect: name-defined
        shell.to(writer, whn=is_clean),  # expect: call-arg
        shell.to(writer),
    )


class MisguidesGuards(Strategy[Draft]):
    """Guards that are none."""

    writer = Writer()
    shell = Shell()
    done = Halt(success=True)

    initial = writer
    edges = (
        writer.to(done, when=is_even),  # expect: arg-type
        writer.to(done, when=has_text),  # expect: arg-type
        writer.to(shell),
        shell.to(done, when=is_clean(Draft())),  # expect: arg-type
        shell.to(writer),
    )


class LeavesHalt(Strategy[Draft]):
    """An edge out of a halt."""

    writer = Writer()
    done = Halt(success=True)

    initial = writer
    edges = (
        writer.to(done),
        done.to(writer),  # expect: attr-defined
    )


class MixesBoards(Strategy[Draft]):
    """A node over another board."""

    writer = Writer()
    bookkeeper = Bookkeeper()

    initial = writer
    edges = (
        writer.to(bookkeeper),  # expect: arg-type
    )


class BeginsElsewhere(Strategy[Draft]):
    """An initial node over another board."""

    writer = Writer()
    bookkeeper = Bookkeeper()
    done = Halt(success=True)

    initial = bookkeeper  # expect: assignment
    edges = (writer.to(done),)


class Unfinished(Strategy[Draft]):
    """An agent that cannot be made."""

    writer = HasNoParse()  # expect: abstract
    judge = HasNoAccept()  # expect: abstract
    done = Halt(success=True)

    initial = writer
    edges = (writer.to(done),)


def text_of(draft: Draft) -> str:
    """What a draft says."""
    return draft.text


def with_text(draft: Draft, text: str) -> Draft:
    """A draft that says something else."""
    return evolve(draft, text=text)


def memory_of(ledger: Ledger) -> Memory:
    """What the bookkeeper remembers."""
    return ledger.memory


def with_memory(ledger: Ledger, memory: Memory) -> Ledger:
    """A ledger with another memory."""
    return evolve(ledger, memory=memory)


class MisfitsLenses(Strategy[Draft]):
    """Lenses through which a node would see no memory, no notes, or another board."""

    writer = Writer()
    forgetful = Summarise(Field(text_of, with_text))  # expect: arg-type
    ignorant = Recall(text_of, Field(text_of, with_text))  # expect: arg-type
    foreign = Summarise(Field(memory_of, with_memory))
    done = Halt(success=True)

    initial = writer
    edges = (
        writer.to(foreign),  # expect: arg-type
    )
