"""Strategies whose faults, if they have one, show only on boards to which no run comes."""

from collections.abc import Iterator
from enum import Enum
from itertools import count
from typing import ClassVar, Literal, final

from attrs import evolve, field, frozen
from attrs.validators import ge, in_
from planted import Draft, Writer, is_good

from tinysmith import Agent, FrozenDict, Halt, ParseError, Strategy, Task


@frozen
class Coin:
    """A narrow board."""

    side: Literal["heads", "tails"]
    throws: int = field(default=1, validator=ge(1))
    metal: str = field(default="gold", validator=in_(["gold", "silver"]))
    extra: FrozenDict[str, int] = field(factory=FrozenDict)


class Flip(Agent[Coin]):
    samples: ClassVar[tuple[str, ...]] = ("heads", "tails")

    def prompt(self, coin: Coin, /) -> str:
        return "Flip a coin."

    def parse(self, coin: Coin, reply: str, /) -> Coin:
        if reply not in ("heads", "tails"):
            raise ParseError("Say heads or tails.")
        return evolve(coin, side=reply)  # type: ignore[arg-type]  # just looked at


def is_heads(coin: Coin) -> bool:
    return coin.side == "heads"


def is_tails(coin: Coin) -> bool:
    return coin.side == "tails"


def is_gold(coin: Coin) -> bool:
    return coin.metal == "gold"


def is_silver(coin: Coin) -> bool:
    return coin.metal == "silver"


class Narrow(Strategy[Coin]):
    """Nothing is wrong with it: its board's type leaves no third case."""

    flip, won, lost = Flip(), Halt(success=True), Halt()
    initial = flip
    edges = (flip.to(won, when=is_heads), flip.to(lost, when=is_tails))
    allow: ClassVar = {"no-otherwise": "a coin has two sides"}


class Wide(Strategy[Coin]):
    """Nothing is wrong with what was seen, but nothing is proved either: metal is any text."""

    flip, won, lost = Flip(), Halt(success=True), Halt()
    initial = flip
    edges = (flip.to(won, when=is_gold), flip.to(lost, when=is_silver))
    allow: ClassVar = {"no-otherwise": "the validator says so", "guard-never-held": "nobody melts it"}


class OneSided(Strategy[Coin]):
    """No run comes to silver, but the type allows it."""

    flip, won = Flip(), Halt(success=True)
    initial = flip
    edges = (flip.to(won, when=is_gold),)
    allow: ClassVar = {"no-otherwise": "it is always gold"}


class OneSidedForAReason(OneSided):
    """As above, and its author knows."""

    allow: ClassVar = {"no-otherwise": "it is always gold", "no-guard-holds": "brief makes it of gold"}


def is_over(draft: Draft) -> bool:
    return draft.is_over


class NeverBoth(Strategy[Draft]):
    """Nothing is wrong with it: the two guards hold together only on boards to which no run comes."""

    class Ender(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return evolve(draft, text=reply, is_over=reply != "good")

    writer, done, gave_up = Ender(), Halt(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(gave_up, when=is_over), writer.to(gave_up))
    allow: ClassVar = {"edge-never-taken": "it is the last resort"}


class Light(Enum):
    GREEN = 1
    AMBER = 2
    RED = 3


@frozen
class Street:
    """A board all of whose values can be told."""

    light: Light | None = Light.GREEN
    is_wet: bool = False
    word: Literal["stop", "go"] = "go"


class Driver(Agent[Street]):
    samples: ClassVar[tuple[str, ...]] = ("GREEN", "RED")

    def prompt(self, street: Street, /) -> str:
        return f"{street.is_wet} {street.word}"

    def parse(self, street: Street, reply: str, /) -> Street:
        if reply not in self.samples:
            raise ParseError("Say GREEN or RED.")
        return evolve(street, light=Light[reply])


def is_clear(street: Street) -> bool:
    return street.light is Light.GREEN or street.light is None


def is_barred(street: Street) -> bool:
    return street.light is Light.RED or (street.light is Light.AMBER and street.is_wet and street.word == "stop")


class TwoOfThree(Strategy[Street]):
    """Nobody thinks of amber."""

    driver, gone, waited = Driver(), Halt(), Halt()
    initial = driver
    edges = (driver.to(gone, when=is_clear), driver.to(waited, when=is_barred))
    allow: ClassVar = {"no-otherwise": "a light is red or green"}


def is_first_noted(draft: Draft) -> bool:
    return draft.text[0] == "g"


class RaisingElsewhere(Strategy[Draft]):
    """A guard raises on an empty text, to which no run comes."""

    writer, done, gave_up = Writer(), Halt(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_first_noted), writer.to(gave_up))


def is_odd_elsewhere(draft: Draft, _turns: Iterator[int] = count()) -> bool:  # noqa: B008  # the fault
    return draft.text in ("good", "") or (len(draft.notes) > 1 and next(_turns) % 2 == 0)


class WaveringElsewhere(Strategy[Draft]):
    """A guard takes turns on boards to which no run comes."""

    writer, done, gave_up = Writer(), Halt(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_odd_elsewhere), writer.to(gave_up))


class Picky(Strategy[Draft]):
    """Nothing is wrong with it, but its brief wants a task of its own kind."""

    writer, done = Writer(), Halt()
    initial = writer
    edges = (writer.to(done),)

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(text=task.data["text"])


@frozen
class Refusing:
    """A board of which only one can be made."""

    word: str = field()

    def __attrs_post_init__(self) -> None:
        if self.word != "go":
            raise ValueError("only go")


class Goer(Agent[Refusing]):
    samples: ClassVar[tuple[str, ...]] = ("go",)

    def prompt(self, board: Refusing, /) -> str:
        return board.word

    def parse(self, board: Refusing, reply: str, /) -> Refusing:
        return Refusing(reply)


def is_go(board: Refusing) -> bool:
    return board.word == "go"


class Impossible(Strategy[Refusing]):
    """Nothing is wrong with it, but its board's class refuses whatever is drawn."""

    goer, done, gave_up = Goer(), Halt(), Halt()
    initial = goer
    edges = (goer.to(done, when=is_go), goer.to(gave_up))
    allow: ClassVar = {"edge-never-taken": "it always goes"}


@final
@frozen
class Sealed:
    """A board of which no class can be derived."""

    word: str = ""

    def __init_subclass__(cls) -> None:
        raise TypeError("Sealed is sealed")


class Sealer(Agent[Sealed]):
    samples: ClassVar[tuple[str, ...]] = ("go",)

    def prompt(self, board: Sealed, /) -> str:
        return f"Go on, {board.word}."

    def parse(self, board: Sealed, reply: str, /) -> Sealed:
        return Sealed(reply)


def is_sealed(board: Sealed) -> bool:
    return isinstance(board.word, str)


class Unwatchable(Strategy[Sealed]):
    """Nothing is wrong with it, but nobody can look over its shoulder."""

    sealer, done = Sealer(), Halt()
    initial = sealer
    edges = (sealer.to(done),)


class SealedNarrow(Strategy[Sealed]):
    """Which fields its guards read cannot be told, so nothing is proved."""

    sealer, done = Sealer(), Halt()
    initial = sealer
    edges = (sealer.to(done, when=is_sealed),)
    allow: ClassVar = {"no-otherwise": "it is sealed"}


@frozen
class Switches:
    """A board with a few too many cases, not all of which its class accepts."""

    a: bool = False
    b: bool = False
    c: Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] = 0
    d: Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] = 0
    e: Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] = 0
    f: Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] = 0

    def __attrs_post_init__(self) -> None:
        if self.a and self.b:
            raise ValueError("not both")


class Switcher(Agent[Switches]):
    samples: ClassVar[tuple[str, ...]] = ("a",)

    def prompt(self, board: Switches, /) -> str:
        return "Switch."

    def parse(self, board: Switches, reply: str, /) -> Switches:
        return evolve(board, a=not board.b)


def is_one(board: Switches) -> bool:
    return board.a or board.b


def is_neither(board: Switches) -> bool:
    return not (board.a or board.b)


def is_any(board: Switches) -> bool:
    return board.c + board.d + board.e + board.f >= 0


class FewCases(Strategy[Switches]):
    """Nothing is wrong with it, on all three boards that there are."""

    switcher, done, gave_up = Switcher(), Halt(), Halt()
    initial = switcher
    edges = (switcher.to(done, when=is_one), switcher.to(gave_up, when=is_neither))
    allow: ClassVar = {"no-otherwise": "one or neither", "guard-never-held": "it is switched on"}


class ManyCases(Strategy[Switches]):
    """Nothing is wrong with it, but there are ten thousand cases."""

    switcher, done = Switcher(), Halt()
    initial = switcher
    edges = (switcher.to(done, when=is_any),)
    allow: ClassVar = {"no-otherwise": "they are numbers"}
