"""What a driver adds to an event, and what it logs of a step."""

import logging
from collections.abc import Callable
from typing import Any

from attrs import evolve

from tinysmith._shown import escaped, one_line
from tinysmith._turn import Plan
from tinysmith.messages import Ask, Event, Reply
from tinysmith.run import Step

_LOG = logging.getLogger("tinysmith")


def stamped(event: Event, answers: str, elapsed_s: float) -> Event:
    """The event with what it answers and how long that took; spelt out for replies, of which there are most."""
    if type(event) is Reply:
        return Reply(
            event.text,
            calls=event.calls,
            finish=event.finish,
            usage=event.usage,
            model=event.model,
            thinking=event.thinking,
            answers=answers,
            elapsed_s=elapsed_s,
        )
    return evolve(event, answers=answers, elapsed_s=elapsed_s)


def same(text: str) -> str:
    """The text as it is."""
    return text


def tell(plan: Plan, step: Step[Any], shown: Callable[[str], str]) -> None:
    """Logs a step; `shown` takes out of each text what must not be shown."""
    _LOG.info("%s step %d: %s %s: %s", plan.name, step.number, step.node, step.way, shown(step.said()))
    if step.complaint:
        _LOG.info("%s step %d: %s is told: %s", plan.name, step.number, step.node, one_line(shown(step.complaint)))
    if _LOG.isEnabledFor(logging.DEBUG):
        if isinstance(step.request, Ask):
            prompt = "\n".join(f"{message.role}: {message.content}" for message in step.request.messages)
            _LOG.debug("%s step %d: prompt of %s:\n%s", plan.name, step.number, step.node, escaped(shown(prompt)))
        if isinstance(step.event, Reply):
            _LOG.debug("%s step %d: reply:\n%s", plan.name, step.number, escaped(shown(step.event.text)))
    if step.outcome:
        _LOG.info("%s: over: %s", plan.name, step.outcome)
