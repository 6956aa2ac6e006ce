"""What a person, or a program, reads of runs on the command line."""

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from tinysmith._shown import escaped, one_line
from tinysmith.messages import Act, Ask, Failed, Observation, Reply, Usage
from tinysmith.protocols import Task
from tinysmith.run import Run, Step

MACHINERY = frozenset({"model_failed", "tool_failed", "environment_lost"})
"""Outcomes that say nothing about the strategy."""


@frozen
class Episode:
    """A run on a task, with the recorded rewards of its turns where there are any."""

    task: Task
    run: Run[Any]
    recorded: tuple[float, ...]

    @property
    def rewards(self) -> tuple[float, ...]:
        """The reward of every step in the environment."""
        return tuple(step.event.reward for step in self.run.steps if isinstance(step.event, Observation))

    @property
    def score(self) -> float | None:
        """The grade, or the last reward where nothing grades; None for an episode that machinery ended."""
        if self.is_broken:
            return None
        if self.run.grade is not None:
            return self.run.grade.score
        return self.rewards[-1] if self.rewards else None

    @property
    def is_broken(self) -> bool:
        """Whether machinery failed, so that the episode says nothing."""
        return self.run.outcome in MACHINERY

    @property
    def agreeing(self) -> int:
        """The recorded turns whose reward came out equal; a turn that was not played counts as different.

        Equal to two decimals, to which InterCode rounds rewards; some of its recordings are not rounded.
        """
        return sum(
            round(ours, 2) == round(theirs, 2) for ours, theirs in zip(self.rewards, self.recorded, strict=False)
        )


class Report:
    """Prints runs as they go: for a person, or one JSON object a line."""

    def __init__(self, *, as_json: bool, quiet: bool = False) -> None:
        self._as_json = as_json
        self._quiet = quiet

    def begin(self, task: Task) -> None:
        """Says which task begins."""
        if not self._as_json and not self._quiet:
            _print(f"\n● {escaped(task.id) or 'episode'}  {one_line(task.query, 90)}".rstrip())

    def step(self, step: Step[Any]) -> None:
        """Says what a step did."""
        if self._as_json:
            _print_json(_step_data(step))
        elif not self._quiet:
            _print(_step_text(step))

    def end(self, episode: Episode) -> None:
        """Says how an episode ended."""
        run, score = episode.run, episode.score
        if self._as_json:
            _print_json(
                {
                    "event": "episode",
                    "task": episode.task.id,
                    "outcome": run.outcome,
                    "solved": run.solved,
                    "reward": score,
                    "oracle": run.oracle,
                    "tokens": run.usage.tokens,
                    "cost_usd": run.usage.cost_usd,
                    "error": None if run.error is None else run.error.message,
                }
            )
            return
        verdict = "✓ solved" if run.solved else "✗ not solved"
        graded = "" if score is None else f", reward {score:g}"
        name = f"{escaped(episode.task.id)}: " if self._quiet else "  "
        _print(f"{name}{verdict} ({run.outcome}{graded})")
        if run.error is not None:
            _print(f"  {one_line(run.error.message, 300)}")

    def summary(self, episodes: Sequence[Episode]) -> None:
        """Says what all episodes came to."""
        data = summary(episodes)
        if self._as_json:
            _print_json(data)
            return
        solved, count = data["solved"], data["episodes"]
        parts = [f"{count} episode{'s' * (count != 1)}, {solved} solved ({_percent(solved, count)})"]
        if data["mean_reward"] is not None:
            parts.append(f"mean reward {data['mean_reward']:.4f}")
        if "turns" in data:
            share = _percent(data["turns_agreeing"], data["turns"])
            parts.append(
                f"{data['turns_agreeing']} of {data['turns']} recorded turns have the same reward ({share})"
            )
        parts.append(f"{data['tokens']:,} tokens, {_cost(data['cost_usd'])}")
        if data["failed"]:
            parts.append(f"{data['failed']} could not be run to the end, and are not in the mean")
        _print("\n" + "\n".join(parts))
        if data["oracle"]:
            _print("oracle: the strategy was shown the reward of every turn, and its best turn counts")


def summary(episodes: Sequence[Episode]) -> dict[str, Any]:
    """What all episodes came to, as data."""
    scores = [episode.score for episode in episodes if episode.score is not None]
    usage = sum((episode.run.usage.total for episode in episodes), Usage(cost_usd=0.0))
    data: dict[str, Any] = {
        "event": "summary",
        "episodes": len(episodes),
        "solved": sum(episode.run.solved for episode in episodes),
        "mean_reward": sum(scores) / len(scores) if scores else None,
        "tokens": usage.tokens,
        "cost_usd": usage.cost_usd,
        "oracle": any(episode.run.oracle for episode in episodes),
        "failed": sum(episode.is_broken for episode in episodes),
    }
    turns = sum(len(episode.recorded) for episode in episodes)
    if turns:
        data |= {"turns": turns, "turns_agreeing": sum(episode.agreeing for episode in episodes)}
    return data


def _step_text(step: Step[Any]) -> str:
    way = " ".join(f"→ {hop.target}" + (f" ({hop.why})" if hop.why else "") for hop in step.hops)
    head = f"{step.number:>4} {step.node} {way or '↺ asked again'}"
    notes = []
    if isinstance(step.event, Reply) and step.event.usage.tokens:
        notes = [f"{step.event.usage.tokens} tokens", _cost(step.event.usage.cost_usd)]
    if isinstance(step.event, Observation):
        notes = [f"reward {step.event.reward:g}"]
    tail = f"  [{', '.join(notes)}]" if notes else ""
    done = f"$ {one_line(step.request.action, 60)} ⇒ " if isinstance(step.request, Act) else ""
    room = max(20, shutil.get_terminal_size((160, 24)).columns - 42 - len(done) - len(tail))
    return f"{head:<41} {done}{step.said(room)}{tail}"


def _step_data(step: Step[Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"event": "step", "number": step.number, "node": step.node}
    data["hops"] = [{"target": hop.target, "why": hop.why, "tried": dict(hop.tried)} for hop in step.hops]
    if isinstance(step.request, Act):
        data["action"] = step.request.action
    match step.event:
        case Reply(text=text, usage=usage):
            data |= {"reply": text, "tokens": usage.tokens, "cost_usd": usage.cost_usd}
        case Observation(text=text, reward=reward):
            data |= {"observation": text, "reward": reward}
        case Failed(kind=kind, message=message):
            data |= {"failed": kind, "message": message}
        case _:
            data["result"] = repr(step.event.value)
    if isinstance(step.request, Ask):
        data["ask"] = step.request.number
    return data


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "no share"


def _cost(cost_usd: float | None) -> str:
    return "price unknown" if cost_usd is None else f"${cost_usd:.6f}".rstrip("0").rstrip(".")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _print_json(data: Any) -> None:
    _print(json.dumps(data, ensure_ascii=True))
