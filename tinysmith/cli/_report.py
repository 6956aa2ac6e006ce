"""What a person, or a program, reads of runs on the command line."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from attrs import frozen

from tinysmith._shown import one_line, scrubbed
from tinysmith.cli._explain import Explaining, data_of, lines_of
from tinysmith.errors import TinysmithError
from tinysmith.messages import FREE, Act, Ask, Failed, Observation, Reply, Usage
from tinysmith.protocols import Task
from tinysmith.run import Run, Step

MACHINERY = frozenset({"model_failed", "tool_failed", "environment_lost"})
"""Outcomes that say nothing about the strategy."""

_MARGIN = " " * 7


@frozen
class Episode:
    """A run on a task, with the recorded rewards of its turns where there are any; or what broke it."""

    task: Task
    run: Run[Any] | None
    recorded: tuple[float, ...]
    fault: Exception | None = None

    @property
    def outcome(self) -> str:
        """The run's outcome; "broken" where there is no run."""
        return "broken" if self.run is None else self.run.outcome

    @property
    def error(self) -> str | None:
        """What went wrong, if anything did."""
        if self.fault is not None:
            return told(self.fault)
        return None if self.run is None or self.run.error is None else self.run.error.message

    @property
    def error_kind(self) -> str:
        """The kind of the failure that ended the run; empty if none did."""
        return "" if self.run is None or self.run.error is None else self.run.error.kind

    @property
    def is_solved(self) -> bool:
        """Whether the task is solved, by a run that nothing broke."""
        return self.run is not None and self.run.solved and not self.is_broken and not self.is_paused

    @property
    def is_paused(self) -> bool:
        """Whether the run waits for a person."""
        return self.run is not None and self.run.is_paused

    @property
    def run_id(self) -> str:
        """The run's id in its journal; empty where there is none."""
        return "" if self.run is None else self.run.run_id

    @property
    def usage(self) -> Usage:
        """What the replies cost."""
        return FREE if self.run is None else self.run.usage.total

    @property
    def oracle(self) -> bool:
        """Whether the strategy was shown its grades."""
        return self.run is not None and self.run.oracle

    @property
    def rewards(self) -> tuple[float, ...]:
        """The reward of every step in the environment."""
        if self.run is None:
            return ()
        return tuple(step.event.reward for step in self.run.steps if isinstance(step.event, Observation))

    @property
    def score(self) -> float | None:
        """The grade, or the last reward where nothing grades; None where machinery or a pause ended it."""
        if self.run is None or self.is_broken or self.is_paused:
            return None
        if self.run.grade is not None:
            return self.run.grade.score
        return self.rewards[-1] if self.rewards else None

    @property
    def is_broken(self) -> bool:
        """Whether machinery failed, so that the episode says nothing, unless the task was solved all the same.

        What a person refused is no machinery.
        """
        if self.run is None or (self.run.outcome in MACHINERY and self.error_kind != "refused"):
            return True
        failures = [step.event for step in self.run.steps if isinstance(step.event, Failed) and step.hops]
        return any(failure.kind != "refused" for failure in failures) and not self.run.solved

    @property
    def agreeing(self) -> int:
        """The recorded turns whose reward came out equal; a turn that was not played counts as different.

        Equal to two decimals, to which InterCode rounds rewards; some of its recordings are not rounded.
        """
        return sum(
            round(ours, 2) == round(theirs, 2) for ours, theirs in zip(self.rewards, self.recorded, strict=False)
        )

    @property
    def was_solved(self) -> bool:
        """Whether the recorded episode was solved: by its best turn where there is an oracle, else by its last."""
        return bool(self.recorded) and (max(self.recorded) if self.oracle else self.recorded[-1]) == 1

    @property
    def is_as_recorded(self) -> bool:
        """Whether it came out as it was recorded; what machinery broke did not."""
        return bool(self.recorded) and not self.is_broken and self.is_solved == self.was_solved


def told(error: Exception) -> str:
    """An error, and where it was raised: ours say themselves what they are, others with their kind."""
    notes = " ".join(getattr(error, "__notes__", ()))
    if isinstance(error, TinysmithError):
        return f"{error} {notes}".rstrip()
    return scrubbed(f"{type(error).__name__}: {error}. {notes}".rstrip())


class Report:
    """Prints runs as they go: for a person, or one JSON object a line.

    Args:
        as_json: Whether to print JSON.
        quiet: Whether to print no steps, but only how each run ended.
        explaining: What explains the runs; None where nobody wants to know.
    """

    def __init__(self, *, as_json: bool, quiet: bool = False, explaining: Explaining | None = None) -> None:
        self._as_json = as_json
        self._quiet = quiet
        self._explaining = explaining

    def begin(self, task: Task) -> None:
        """Says which task begins."""
        if not self._as_json and not self._quiet:
            _print(f"\n● {one_line(task.id) or 'episode'}  {one_line(task.query, 90)}".rstrip())

    def start(self, board: Any) -> None:
        """Says what a run did before its first step, where runs are explained."""
        explained = None if self._explaining is None else self._explaining.begin(board)
        if explained is None or not explained.hops:
            return
        if self._as_json:
            _print_json({"event": "start", **data_of(explained)})
        elif not self._quiet:
            _print_lines(lines_of(explained), _MARGIN)

    def step(self, step: Step[Any]) -> None:
        """Says what a step did."""
        explained = None if self._explaining is None else self._explaining.step(step)
        if self._as_json:
            _print_json(_step_data(step) | ({} if explained is None else data_of(explained)))
        elif not self._quiet:
            _print(_step_text(step))
            if explained is not None:
                _print_lines(lines_of(explained), _MARGIN)
                _print_lines([explained.reason] if explained.reason and not step.complaint else (), _MARGIN)

    def end(self, episode: Episode) -> None:
        """Says how an episode ended."""
        score = episode.score
        missed = self._missed(episode)
        if self._as_json:
            _print_json(
                {
                    "event": "episode",
                    "task": episode.task.id,
                    "outcome": episode.outcome,
                    "solved": episode.is_solved,
                    "reward": score,
                    "oracle": episode.oracle,
                    "tokens": episode.usage.tokens,
                    "cost_usd": episode.usage.cost_usd,
                    "error": episode.error,
                    **({"run_id": episode.run_id} if episode.run_id else {}),
                    **({} if missed is None else {"why_not": missed}),
                }
            )
            return
        verdict = "✓ solved" if episode.is_solved else "‖ not over" if episode.is_paused else "✗ not solved"
        graded = "" if score is None else f", reward {score:g}"
        oracle = ", oracle" if graded and episode.oracle else ""
        name = f"{one_line(episode.task.id) or 'episode'}: " if self._quiet else "  "
        run_id = f"  run {episode.run_id}" if episode.run_id else ""
        _print(f"{name}{verdict} ({episode.outcome}{graded}{oracle}){run_id}")
        if episode.error is not None:
            _print(f"  {one_line(episode.error, 300)}")
        for answer in (missed or {}).values():
            _print_lines(answer.splitlines(), "  ")

    def _missed(self, episode: Episode) -> dict[str, str] | None:
        if self._explaining is None or episode.run is None or episode.is_solved:
            return None
        return self._explaining.missed(episode.run)

    def summary(self, episodes: Sequence[Episode], *, of: int) -> None:
        """Says what all episodes came to, and how many there were to be."""
        data = summary(episodes) | {"not_run": of - len(episodes)}
        if self._as_json:
            _print_json(data)
            return
        solved, count = data["solved"], data["episodes"]
        parts = [f"{count} episode{'s' * (count != 1)}, {solved} solved ({_percent(solved, count)})"]
        if data["mean_reward"] is not None:
            parts.append(f"mean reward {data['mean_reward']:.4f}")
        if "turns" in data:
            share = _percent(data["recorded_alike"], data["recorded"])
            parts.append(
                f"{data['recorded_alike']} of {data['recorded']} recorded episodes have the same verdict ({share})"
                f"; recorded as solved: {data['recorded_solved']}"
            )
            share = _percent(data["turns_agreeing"], data["turns"])
            parts.append(
                f"{data['turns_agreeing']} of {data['turns']} recorded turns have the same reward ({share})"
            )
        parts.append(f"{data['tokens']:,} tokens, {_cost(data['cost_usd'])}")
        if data["failed"]:
            be = "is" if data["failed"] == 1 else "are"
            parts.append(f"{data['failed']} could not be run to the end, and {be} not in the mean")
        if data["not_run"]:
            be = "was" if data["not_run"] == 1 else "were"
            parts.append(f"{data['not_run']} of {of} {be} not run to the end")
        _print("\n" + "\n".join(parts))
        if data["oracle"]:
            _print("oracle: the strategy was shown the reward of every turn, and its best turn counts")


def summary(episodes: Sequence[Episode]) -> dict[str, Any]:
    """What all episodes came to, as data."""
    scores = [episode.score for episode in episodes if episode.score is not None]
    usage = sum((episode.usage for episode in episodes), FREE)
    data: dict[str, Any] = {
        "event": "summary",
        "episodes": len(episodes),
        "solved": sum(episode.is_solved for episode in episodes),
        "mean_reward": sum(scores) / len(scores) if scores else None,
        "tokens": usage.tokens,
        "cost_usd": usage.cost_usd,
        "oracle": any(episode.oracle for episode in episodes),
        "failed": sum(episode.is_broken for episode in episodes),
    }
    recorded = [episode for episode in episodes if episode.recorded]
    if recorded:
        data |= {
            "recorded": len(recorded),
            "recorded_solved": sum(episode.was_solved for episode in recorded),
            "recorded_alike": sum(episode.is_as_recorded for episode in recorded),
            "turns": sum(len(episode.recorded) for episode in recorded),
            "turns_agreeing": sum(episode.agreeing for episode in recorded),
        }
    return data


def _step_text(step: Step[Any]) -> str:
    head = f"{step.number:>4} {step.node} {step.way}"
    notes = []
    if isinstance(step.event, Reply) and step.event.usage.tokens:
        notes = [f"{step.event.usage.tokens} tokens", _cost(step.event.usage.cost_usd)]
    if isinstance(step.event, Observation):
        notes = [f"reward {step.event.reward:g}"]
    tail = f"  [{', '.join(notes)}]" if notes else ""
    done = f"$ {one_line(step.request.action, 60)} ⇒ " if isinstance(step.request, Act) else ""
    room = max(20, shutil.get_terminal_size((160, 24)).columns - 42 - len(done) - len(tail))
    told = f"\n     ↳ {one_line(step.complaint, room + 40)}" if step.complaint else ""
    return f"{head:<41} {done}{step.said(room)}{tail}{told}"


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
        data["complaint"] = step.complaint
    return data


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "no share"


def _cost(cost_usd: float | None) -> str:
    return "price unknown" if cost_usd is None else f"${cost_usd:.6f}".rstrip("0").rstrip(".")


def _print_lines(lines: Iterable[str], margin: str) -> None:
    for line in lines:
        _print(f"{margin}{line}")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _print_json(data: Any) -> None:
    _print(json.dumps(data, ensure_ascii=True))
