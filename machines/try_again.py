"""One agent tries, sees what its action printed and its reward, and tries again.

                     is_solved
    player --> shell ---------> solved
      ^          |  is_over
      |          |------------> ended
      |          |  otherwise
      |          +------------> out_of_turns
      +----------+ has_turns_left

The agent is shown the true reward of every turn, so its score is that of its best turn, and every run of it is
marked as having seen an oracle. Source: InterCode's baseline of that name in Yang, Prabhakar, Narasimhan, Yao:
"InterCode: Standardizing and Benchmarking Interactive Coding with Execution Feedback", 2023, arXiv:2306.14898.
Costs: one model call and one environment step a turn, so at most `turns_left` of each; each reply that is asked
again costs one call more.
"""

import re

from attrs import evolve, frozen

from tinysmith import Agent, Halt, Observation, ParseError, Strategy, Task, World

FULL_REWARD = 1.0


@frozen
class Turn:
    """One turn of an episode.

    Attributes:
        action: What the agent sent.
        output: What the environment printed.
        reward: The environment's grade of the episode after it.
    """

    action: str
    output: str
    reward: float


@frozen
class Trial:
    """The board of one episode.

    Attributes:
        query: What is to be done.
        instructions: How to act in the environment; empty where it does not say.
        action: What the agent sends next.
        turns: The turns so far, oldest first.
        turns_left: How many more turns there are.
        is_over: Whether the environment has ended the episode.
    """

    query: str = ""
    instructions: str = ""
    action: str = ""
    turns: tuple[Turn, ...] = ()
    turns_left: int = 10
    is_over: bool = False


def is_solved(trial: Trial) -> bool:
    """The last turn earned the full reward."""
    return bool(trial.turns) and trial.turns[-1].reward >= FULL_REWARD


def is_over(trial: Trial) -> bool:
    """The environment has ended the episode."""
    return trial.is_over


def has_turns_left(trial: Trial) -> bool:
    """Another turn may be played."""
    return trial.turns_left > 0


class Player(Agent[Trial]):
    """Sends one action a turn."""

    samples = ("SHOW TABLES", "Thought: I look at the columns first.\nAction: DESCRIBE boats", "submit")

    def prompt(self, trial: Trial, /) -> str:
        """The question, how to act, and all turns so far with their rewards."""
        parts = [trial.instructions, f"Question: {trial.query}"]
        for number, turn in enumerate(trial.turns, start=1):
            parts.append(f"Turn {number}\nAction: {turn.action}\nOutput: {turn.output}\nReward: {turn.reward:g}")
        parts.append(
            f"The reward is 1 when the output answers the question. You have {trial.turns_left} turns left. "
            "Reply with your next action, after `Action:` on a line of its own; you may think aloud before it."
        )
        return "\n\n".join(part for part in parts if part)

    def parse(self, trial: Trial, reply: str, /) -> Trial:
        """Takes what follows `Action:`, or the whole reply; a fence around it is taken off."""
        action = re.split(r"^\s*Action:", reply, maxsplit=1, flags=re.MULTILINE)[-1].strip()
        fenced = re.fullmatch(r"```\w*\n(.*?)\n?```", action, flags=re.DOTALL)
        action = fenced[1].strip() if fenced else action
        if not action:
            raise ParseError("There is nothing after `Action:`. Reply with one action.")
        return evolve(trial, action=action)


class Shell(World[Trial]):
    """Runs the action, and is shown its reward."""

    oracle = True

    def action(self, trial: Trial, /) -> str:
        """The player's action."""
        return trial.action

    def observe(self, trial: Trial, seen: Observation, /) -> Trial:
        """Adds the turn."""
        return evolve(
            trial,
            turns=(*trial.turns, Turn(trial.action, seen.text, seen.reward)),
            turns_left=trial.turns_left - 1,
            is_over=seen.terminated or seen.truncated,
        )


class TryAgain(Strategy[Trial]):
    """One agent tries, sees what its action printed and its reward, and tries again."""

    player = Player()
    shell = Shell()
    solved = Halt(success=True)
    ended = Halt()
    out_of_turns = Halt()

    initial = player
    edges = (
        player.to(shell),
        shell.to(solved, when=is_solved),
        shell.to(ended, when=is_over),
        shell.to(player, when=has_turns_left),
        shell.to(out_of_turns),
    )

    def brief(self, task: Task, observation: str, /) -> Trial:
        """The board with the task's question, or what the environment shows first where the task has none."""
        return Trial(query=task.query or observation, instructions=task.instructions)
