"""`Typed`: an agent whose reply is a value of a type, not a text."""

from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

from tinysmith.errors import DefinitionError, Finding
from tinysmith.nodes import Agent

B = TypeVar("B")
R = TypeVar("R")

_REMEDY = (
    "Name one type: class Planner(Typed[Mission, Plan]), with Plan a frozen attrs class whose fields have types."
)


class Typed(Agent[B], Generic[B, R]):
    """Asks a model for a value of the type R: `class Planner(Typed[Mission, Plan])`.

    The type's JSON schema goes with the request where the provider takes one, else into the prompt. A reply that
    is not quite JSON is mended; one that does not fit is asked again, told which fields are wrong and how. Types
    are strict ("3" is no number), but 3.0 counts as 3. What the type has no field for is ignored; nothing
    is unwrapped: where a `Plan` is wanted, `{"plan": {…}}` lacks its fields.

    R may be anything that has a JSON schema: frozen attrs classes, nested ones too, lists, mappings, `Literal`s,
    enums, optionals; providers take a schema only for objects, so a class is best. Its docstring is part of the
    schema and so of what the model reads. A reply that is put on the board must be of a type that boards may have.

    Attributes:
        reply_type: R, found when a subclass names it.
    """

    reply_type: ClassVar[Any] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.reply_type = _reply_type(cls)
        if cls.reply_type is None or isinstance(cls.reply_type, TypeVar):
            if not getattr(cls, "__parameters__", ()):
                raise _unfit(cls, "it does not say what type its reply has.")
        elif "schema" not in vars(cls):
            from tinysmith._replies import schema_of  # noqa: PLC0415  # msgspec, which few programs need

            try:
                cls.schema = schema_of(cls.reply_type)
            except TypeError as error:
                problem = str(error).rpartition("\n")[2].rstrip(":.")
                raise _unfit(
                    cls, f"its reply type {_named(cls.reply_type)} has no JSON schema: {problem}."
                ) from None

    @abstractmethod
    def accept(self, board: B, reply: R, /) -> B:
        """The board with the reply's value on it.

        Raises:
            ParseError: The value cannot be used; the agent is asked again with the error's message.
        """

    def parse(self, board: B, reply: str, /) -> B:
        """The board with the value on it that the reply holds."""
        from tinysmith._replies import read_reply  # noqa: PLC0415  # as above

        return self.accept(board, read_reply(self.reply_type, reply))


def _reply_type(cls: type[Typed[Any, Any]]) -> Any:
    """What stands for R in a class: a type, or a type variable where it is still open."""
    for base in vars(cls).get("__orig_bases__", ()):
        origin = get_origin(base)
        if isinstance(origin, type) and issubclass(origin, Typed):
            names: tuple[Any, ...] = origin.__parameters__  # type: ignore[attr-defined]  # every generic class has it
            open_type = names[1] if origin is Typed else origin.reply_type
            return dict(zip(names, get_args(base), strict=True)).get(open_type, open_type)
    return cls.reply_type


def _named(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)


def _unfit(cls: type[Any], problem: str) -> DefinitionError:
    return DefinitionError([Finding("reply-type", cls.__name__, problem, _REMEDY)])
