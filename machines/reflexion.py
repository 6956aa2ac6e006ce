"""An actor acts, guards judge what came of it, and a reflector puts into words what to do better.

    recall ───┬─ otherwise ─────────────> actor ──> shell
              └─ fails ─────────────────> actor
    shell ────┬─ is_solved ─────────────> solved
              ├─ is_over ───────────────> reflector
              ├─ is_out_of_steps ───────> reflector
              ├─ is_out_of_reflections ─> actor
              ├─ is_same ───────────────> reflector
              ├─ is_similar ────────────> reflector
              ├─ is_error ──────────────> reflector
              └─ otherwise ─────────────> actor
    reflector ──> note ┬─ otherwise ────> learner
                       └─ fails ────────> learner
    learner ──┬─ is_over ───────────────> failed
              ├─ is_out_of_steps ───────> out_of_steps
              └─ otherwise ─────────────> actor

The guards that lead to the reflector are the evaluator. What the reflector writes, `recall` finds when the same
question is met again: `run(..., tools={"recall": notebook.recall, "note": notebook.note})` binds a notebook.
Without one, lessons last for a trial.
Source: Shinn, Cassano, Berman, Gopinath, Narasimhan, Yao: "Reflexion: Language Agents with Verbal Reinforcement
Learning", 2023, arXiv:2303.11366.
Differs from the paper: a run is one trial, and trials at a task are runs that share a notebook; a reflection may
also come in the middle of a trial, which then goes on; no model judges, and no reward is seen before the end.
Costs: one model call and one environment step a command, at most `steps_left` of each; one model call a
reflection, at most `reflections_left` on the way and one more where the trial ends unsolved; so at most
`steps_left + reflections_left + 1` model calls, and one more for each reply that is asked again.
"""

import re
from collections.abc import Mapping
from typing import ClassVar

from attrs import evolve, field, frozen
from rapidfuzz.distance import Levenshtein

from tinysmith import (
    Agent,
    Edge,
    Field,
    Guard,
    Halt,
    Node,
    Observation,
    ParseError,
    Rule,
    Strategy,
    Task,
    Template,
    World,
)
from tinysmith.memory import Exchange, Note, Recall, fitted
from tinysmith.parsing import one_command

FULL_REWARD = 1.0
MOST_WORDS = 150
MOST_CHARACTERS = 1_500
NEAR = 0.2
MOST_NEAR = 3
MOST_COMPARED = 2_000  # characters of a command; comparing two takes their product

_ERROR = re.compile(  # what repeats is bounded, so that a hostile output is read in linear time
    r"""
    \A \(1\d{3},[ ]["']                                                            # (1146, "Table …
    | ^ [ \t]{0,20} (?:[\w.]{0,80}(?:error|exception)|traceback)\b [^:\n]{0,80} :  # Error executing query: …
    | (?:^|:[ ]) (?:fatal:|(?:fatal[ ])?error:|syntax[ ]error\b)                   # a.c:1:2: error: …
    | :[ ] .{0,40} (?:not[ ]found|no[ ]such[ ]file[ ]or[ ]directory|permission[ ]denied) [ \t\r]{0,20} $
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


@frozen
class Trial:
    """The board of one trial at a task.

    Attributes:
        query: What is to be done; also the topic under which lessons are kept.
        instructions: How to act in the environment; empty where it does not say.
        lessons: What was learned in earlier trials, oldest first.
        reflections: What was learned in this one, oldest first.
        reflection: The reflector's last words; the learner adds them to the reflections.
        command: What the actor sends next.
        exchanges: The commands so far and what they printed, oldest first.
        reward: What the last command earned; the environment's grade once the episode is over.
        steps_left: How many more commands may be sent.
        reflections_left: How many more reflections may come before the end; one at the end is always allowed.
        is_over: Whether the environment has ended the episode.
    """

    query: str = ""
    instructions: str = ""
    lessons: tuple[str, ...] = field(default=(), kw_only=True)
    reflections: tuple[str, ...] = field(default=(), kw_only=True)
    reflection: str = field(default="", kw_only=True)
    command: str = field(default="", kw_only=True)
    exchanges: tuple[Exchange, ...] = field(default=(), kw_only=True)
    reward: float = field(default=0.0, kw_only=True)
    steps_left: int = field(default=20, kw_only=True)
    reflections_left: int = field(default=3, kw_only=True)
    is_over: bool = field(default=False, kw_only=True)

    @property
    def faults(self) -> tuple[str, ...]:
        """What the evaluator holds against the trial, in the reflector's words."""
        return tuple(words for holds, words in FAULTS.items() if holds(self))


def is_solved(trial: Trial) -> bool:
    """The environment has ended the episode with the full reward."""
    return trial.is_over and trial.reward >= FULL_REWARD


def is_over(trial: Trial) -> bool:
    """The environment has ended the episode; where it is not solved, a wrong answer was submitted."""
    return trial.is_over


def is_out_of_steps(trial: Trial) -> bool:
    """That was the last command."""
    return trial.steps_left <= 0


def is_out_of_reflections(trial: Trial) -> bool:
    """No reflection is left but the one at the end."""
    return trial.reflections_left <= 0


def is_same(trial: Trial) -> bool:
    """The last command had been sent before, word for word."""
    commands = [exchange.command for exchange in trial.exchanges]
    return bool(commands) and commands[-1] in commands[:-1]


def is_similar(trial: Trial) -> bool:
    """More than three earlier commands were nearly the last one; only their beginnings are compared."""
    commands = [exchange.command[:MOST_COMPARED] for exchange in trial.exchanges]
    near = [
        command
        for command in commands[:-1]
        if Levenshtein.normalized_distance(command, commands[-1], score_cutoff=NEAR) < NEAR
    ]
    return len(near) > MOST_NEAR


def is_error(trial: Trial) -> bool:
    """The last output, as the actor sees it, looks like an error of a database, an interpreter or a shell.

    A line begins with a word that ends in error or exception, with `Traceback` or with `fatal`, and a colon
    follows; a line ends as a shell's complaints do; or the output begins as a MySQL error that Python printed.
    Where that is mistaken, it costs a reflection.
    """
    return bool(trial.exchanges) and _ERROR.search(trial.exchanges[-1].output) is not None


FAULTS: Mapping[Guard[Trial], str] = {
    is_over: "The episode is over, and what was submitted does not solve the task.",
    is_out_of_steps: "All commands are used up, and the task is not solved.",
    is_same: "The last command had been sent before.",
    is_similar: "The last command is much like several before it.",
    is_error: "The last output looks like an error.",
}


class Actor(Agent[Trial]):
    """Thinks, and ends its reply with one command."""

    samples = ("Command: SHOW TABLES", "The lesson names the column.\nCommand: DESCRIBE boats", "Command: submit")
    prompt = Template("prompts/reflexion/actor.jinja")

    def parse(self, trial: Trial, reply: str, /) -> Trial:
        """Takes the one command."""
        return evolve(trial, command=one_command(reply))


class Shell(World[Trial]):
    """Runs the command."""

    def action(self, trial: Trial, /) -> str:
        """The actor's command."""
        return trial.command

    def observe(self, trial: Trial, seen: Observation, /) -> Trial:
        """Adds the exchange, and counts the step."""
        return evolve(
            trial,
            exchanges=(*trial.exchanges, Exchange(trial.command, fitted(seen.text))),
            reward=seen.reward,
            steps_left=trial.steps_left - 1,
            is_over=seen.terminated or seen.truncated,
        )


class Reflector(Agent[Trial]):
    """Writes what went wrong, and what to do differently."""

    samples = (
        "I guessed a column that is not there. Run DESCRIBE on a table before its columns are named in a query.",
        "The rows were right, their order was not: sort by the sum, the largest first, then submit.",
    )
    prompt = Template("prompts/reflexion/reflector.jinja", max_words=MOST_WORDS)

    def parse(self, trial: Trial, reply: str, /) -> Trial:
        """Takes the reply as one paragraph."""
        words = reply.split()
        reflection = " ".join(words)
        if len(words) > MOST_WORDS or len(reflection) > MOST_CHARACTERS:
            raise ParseError(f"Reflect in at most {MOST_WORDS} words.")
        return evolve(trial, reflection=reflection)


class Learner(Rule[Trial]):
    """Takes the reflection to heart, whether or not it could be written down."""

    def apply(self, trial: Trial, /) -> Trial:
        """Adds the reflection, and counts it."""
        return evolve(
            trial,
            reflections=(*trial.reflections, trial.reflection),
            reflections_left=max(0, trial.reflections_left - 1),
        )


class Reflexion(Strategy[Trial]):
    """An actor acts, guards judge what came of it, and a reflector puts into words what to do better."""

    recall = Recall[Trial](
        lambda trial: trial.query,
        Field(lambda trial: trial.lessons, lambda trial, lessons: evolve(trial, lessons=lessons)),
    )
    actor = Actor()
    shell = Shell()
    reflector = Reflector()
    note = Note[Trial](lambda trial: trial.query, lambda trial: trial.reflection)
    learner = Learner()
    solved = Halt(success=True)
    failed = Halt()
    out_of_steps = Halt()

    initial: Node[Trial] = recall
    edges: tuple[Edge[Trial], ...] = (
        recall.to(actor),
        recall.on_failure(actor),
        actor.to(shell),
        shell.to(solved, when=is_solved),
        shell.to(reflector, when=is_over),
        shell.to(reflector, when=is_out_of_steps),
        shell.to(actor, when=is_out_of_reflections),
        shell.to(reflector, when=is_same),
        shell.to(reflector, when=is_similar),
        shell.to(reflector, when=is_error),
        shell.to(actor),
        reflector.to(note),
        note.to(learner),
        note.on_failure(learner),
        learner.to(failed, when=is_over),
        learner.to(out_of_steps, when=is_out_of_steps),
        learner.to(actor),
    )
    allow: ClassVar = {"paid-after-end:reflector": "what a lost trial taught is for the next one"}

    def brief(self, task: Task, observation: str, /) -> Trial:
        """The board with the task's question, or what the environment shows first where the task has none."""
        return Trial(query=task.query or observation, instructions=task.instructions)
