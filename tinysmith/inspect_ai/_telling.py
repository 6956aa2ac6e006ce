"""What a run leaves in Inspect's state of a sample."""

from typing import Any

from inspect_ai.model import ChatMessage, ModelOutput
from inspect_ai.solver import TaskState

from tinysmith.inspect_ai._translate import chat
from tinysmith.mapping import JSON
from tinysmith.messages import Act, Ask, Message, Observation, Reply, Usage
from tinysmith.run import Run, Step

STORE = "tinysmith"
"""Under which key the sample's store holds what the run was."""


class Telling:
    """Adds each step to the sample's messages as it happens, so that Inspect's message limit counts them.

    Of a prompt, what the same request has not said before is added.

    Args:
        state: The sample's.
    """

    def __init__(self, state: TaskState) -> None:
        self._state = state
        self._said: dict[str, tuple[Message, ...]] = {}

    def hear(self, step: Step[Any]) -> None:
        """Adds a step.

        Raises:
            LimitExceededError: There are more messages than Inspect allows.
        """
        metadata = {"node": step.node, "step": step.number}
        match step.request, step.event:
            case Ask() as asked, Reply() as reply:
                answer = Message("assistant", reply.text, calls=reply.calls)
                new = (*_new(self._said.get(asked.id, ()), asked.messages), answer)
                self._said[asked.id] = (*asked.messages, answer)
                self._add(chat((*asked.messages, answer), **metadata)[-len(new) :])
                self.answer(reply.text)
            case Act(), Observation(text=text):
                self._add(chat((Message("user", text),), **metadata))
            case _:
                pass

    def answer(self, text: str) -> None:
        """Makes a text the sample's output."""
        self._state.output = ModelOutput.from_content(str(self._state.model), text)

    def _add(self, messages: list[ChatMessage]) -> None:
        self._state.messages.extend(messages)


def _new(said: tuple[Message, ...], messages: tuple[Message, ...]) -> tuple[Message, ...]:
    same = 0
    for before, now in zip(said, messages, strict=False):
        if before != now:
            break
        same += 1
    return messages[same:]


def summary(run: Run[Any]) -> dict[str, JSON]:
    """What a run was, as JSON data."""
    grade = run.grade
    return {
        "strategy": run.strategy,
        "task": run.task,
        "outcome": run.outcome,
        "success": run.success,
        "solved": run.solved,
        "steps": len(run.steps),
        "seconds": run.seconds,
        "oracle": run.oracle,
        "grade": grade and {"score": grade.score, "solved": grade.solved, "parts": dict(grade.parts)},
        "error": run.error and {"kind": run.error.kind, "message": run.error.message},
        "usage": {
            "total": _usage(run.usage.total),
            "by_model": {name: _usage(usage) for name, usage in run.usage.by_model.items()},
            "by_node": {name: _usage(usage) for name, usage in run.usage.by_node.items()},
        },
    }


def _usage(usage: Usage) -> dict[str, JSON]:
    told = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return told if usage.cost_usd is None else {**told, "cost_usd": usage.cost_usd}
