"""The errors: one tree, every leaf pickles, every message says where, what and what to do.

TinysmithError
├── DefinitionError            a strategy's class is not a sound machine; all findings at once
├── TemplateError              a prompt's template that cannot be read, or reads a value that is not there
├── ParseError                 a reply that the agent is asked to write again
├── RunError                   a step that is illegal; it changed nothing
│   ├── NoEdgeError            none of a node's guards holds
│   ├── GuardError             a guard raised, or answered neither True nor False
│   ├── PromptError            a node asked for something that cannot be sent
│   ├── EventError             an event that answers nothing that is pending
│   ├── EndlessCycleError      hops without end, and no limit that would end them
│   └── BoardError             a board holds a value that its type does not allow
├── RunOver                    the orchestrator was asked to go on after the end; `.run` is the result
├── DecodeError                saved data that does not fit; it was not used
├── DataError                  a file or folder that the user named cannot be used
├── UsageError                 arguments that do not go together
├── ModelError                 a model could not answer
│   ├── AuthenticationError    401, 403: the key is missing, wrong or not allowed
│   ├── BadRequestError        400, 422: this request can never succeed
│   │   └── ContextOverflow    the prompt is longer than the model's context
│   ├── UnknownModelError      404, or a provider that nobody knows
│   ├── RateLimited            429 (tried again)
│   ├── ServerError            5xx, a refused or broken connection, an unreadable answer (tried again)
│   ├── ModelTimeout           no answer in time (tried again)
│   ├── RecordingOver          the recorded or scripted replies are used up
│   └── RealRequestRefused     real requests are switched off in this process
├── JournalError               a journal that cannot be written or read; the message names the row
│   └── RunOwned               another process goes on with this run
├── ReplayDiverged             a strategy that does something else than the journal says, at a step
├── NotRestored                an environment that cannot be brought back to where a run left it
├── EnvironmentLost            the environment's machinery failed; never scored as a wrong answer
├── SandboxUnavailable         no sandbox can be had here; the message says what to install
├── SandboxError               what was asked of a sandbox cannot be done in it
└── ToolError                  a tool raised
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias

from attrs import field, frozen

Level: TypeAlias = Literal["error", "warning", "information"]


def _restore(kind: type["TinysmithError"], args: tuple[Any, ...], state: dict[str, Any]) -> "TinysmithError":
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class TinysmithError(Exception):
    """The root of all errors that this package raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, dict(self.__dict__))


@frozen
class Finding:
    """One thing that a check found.

    Attributes:
        code: The check, as in `allow = {code: reason}`.
        where: The strategy, and the node or field where there is one: `Refine.critic`.
        problem: What is wrong, with the values.
        remedy: What to do.
        level: How bad it is.
        example: The smallest board or conversation that shows it, in lines; empty where there is none.
        board: Whether the example's board is "reachable" by a run, or only "possible" by its type.
    """

    code: str
    where: str
    problem: str
    remedy: str
    level: Level = field(default="error", kw_only=True)
    example: str = field(default="", kw_only=True)
    board: Literal["", "reachable", "possible"] = field(default="", kw_only=True)

    def __str__(self) -> str:
        return f"{self.where}: {self.problem} {self.remedy} [{self.code}]"


class DefinitionError(TinysmithError):
    """A strategy's class is not a sound machine."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        lines = [str(finding) for finding in findings]
        text = lines[0] if len(lines) == 1 else f"{len(lines)} findings:\n" + "\n".join(f"  {x}" for x in lines)
        super().__init__(text)
        self.findings = tuple(findings)


class TemplateError(TinysmithError):
    """A prompt's template is missing, is none, or reads a value that is not there."""


class ParseError(TinysmithError):
    """A reply cannot be used; the same agent is asked again with this message.

    Args:
        message: What the model should do differently; it reads this sentence.
        seats: Of a panel: the seats (from 0) whose replies are bad; all of them, if None.
    """

    def __init__(self, message: str, *, seats: Sequence[int] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.seats = None if seats is None else tuple(seats)


class RunError(TinysmithError):
    """A step that is illegal. It changed nothing: the position before it still stands."""

    def __init__(self, problem: str, *, strategy: str, node: str, step: int) -> None:
        super().__init__(f"{strategy}.{node}, step {step}: {problem}")
        self.strategy = strategy
        self.node = node
        self.step = step


class NoEdgeError(RunError):
    """The node has edges, but none of their guards holds."""

    def __init__(self, tried: Sequence[str], *, strategy: str, node: str, step: int) -> None:
        problem = (
            f"none of its guards holds (tried {', '.join(tried)}). "
            f"End its edges with one that has no `when`, e.g. `{node}.to(gave_up)`."
        )
        super().__init__(problem, strategy=strategy, node=node, step=step)
        self.tried = tuple(tried)


class GuardError(RunError):
    """A guard raised, or answered neither True nor False."""


class PromptError(RunError):
    """A node asked for something that cannot be sent, such as an empty prompt."""


class EventError(RunError):
    """An event answers no pending request, or is of the wrong kind for it."""


class EndlessCycleError(RunError):
    """Hops without end between rules, and no limit that would end them."""


class BoardError(RunError):
    """A board, or one of its fields, holds a value that its declared type does not allow."""


class RunOver(TinysmithError):
    """The run has ended; `.run` is its result."""

    def __init__(self, run: Any) -> None:
        super().__init__(f"The run is over: {run.outcome}. Its result is on this exception's `.run`.")
        self.run = run


class DecodeError(TinysmithError):
    """Saved data does not fit the type that it is read as; nothing of it was used."""


class DataError(TinysmithError):
    """A file or folder that the user named is missing or broken."""


class UsageError(TinysmithError):
    """Arguments that do not go together, or that name something that is not there."""


class ModelError(TinysmithError):
    """A model could not answer. Carries what happened, which model, and what to do.

    Args:
        message: What happened, whole sentences; never a key.
        model: The model as the user named it; empty if it has no name.
        status: The HTTP status, where there was one.
        retry_after_s: How long the server asked to wait, in seconds.
    """

    kind: ClassVar[str] = "model"
    is_retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, model: str = "", status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{model}: {message}" if model else message)
        self.model = model
        self.status = status
        self.retry_after_s = retry_after_s


class AuthenticationError(ModelError):
    """The key is missing, wrong, or may not use this model (401, 403)."""

    kind = "authentication"


class BadRequestError(ModelError):
    """The provider refuses this request, and always will (400, 422)."""

    kind = "bad_request"


class ContextOverflow(BadRequestError):
    """The prompt is longer than the model's context window."""

    kind = "context_overflow"


class UnknownModelError(ModelError):
    """No such model, path or provider (404)."""

    kind = "unknown_model"


class RateLimited(ModelError):
    """The provider asks for fewer requests (429), still after the retries."""

    kind = "rate_limit"
    is_retryable = True


class ServerError(ModelError):
    """The provider failed (5xx, a broken connection, an unreadable answer), still after the retries."""

    kind = "server"
    is_retryable = True


class ModelTimeout(ModelError):
    """No answer in time, still after the retries."""

    kind = "timeout"
    is_retryable = True


class RecordingOver(ModelError):
    """The recorded or scripted replies are used up."""

    kind = "recording_over"


class RealRequestRefused(ModelError):
    """Real requests are switched off in this process."""

    kind = "refused_here"


class EnvironmentLost(TinysmithError):
    """The environment's machinery failed: a dead process, a broken connection. Never a wrong answer."""


class SandboxUnavailable(TinysmithError):
    """No sandbox can be had here. The message says what is missing, and how to install it."""


class SandboxError(TinysmithError):
    """What was asked of a sandbox cannot be done in it: a file that is not there, too large, or a folder."""


class ToolError(TinysmithError):
    """A tool raised."""


class JournalError(TinysmithError):
    """A journal that cannot be written or read.

    Args:
        problem: What is wrong, and what to do; whole sentences.
        place: The journal.
        run: The run; empty where it is about none.
        row: The row of the run's log, from 1; 0 where it is about none.
    """

    def __init__(self, problem: str, *, place: str, run: str = "", row: int = 0) -> None:
        where = place + (f", run {run}" if run else "") + (f", row {row}" if row else "")
        super().__init__(f"{where}: {problem}")
        self.place = place
        self.run = run
        self.row = row


class RunOwned(JournalError):
    """Another process, or another part of this one, goes on with this run."""


class ReplayDiverged(TinysmithError):
    """A strategy does something else than the journal says.

    Args:
        what: In what they differ, at this step.
        run: The run.
        step: The step, from 1: at which request, or after which event.
        recorded: What the journal has.
        now: What the strategy does.
    """

    def __init__(self, what: str, *, run: str, step: int, recorded: str, now: str) -> None:
        remedy = f"To go on from there with this strategy, fork the run at step {step - 1}."
        super().__init__(
            f"run {run}, step {step}: {what}. The journal has {recorded}; the strategy has {now}. {remedy}"
        )
        self.run = run
        self.step = step
        self.recorded = recorded
        self.now = now


class NotRestored(TinysmithError):
    """An environment cannot be brought back to where a run left it; nothing was asked or done."""
