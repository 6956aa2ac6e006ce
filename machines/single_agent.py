"""One agent sends commands until the environment is over or its steps are.

                           is_solved
    agent --> shell --> memory ---------> solved
      ^                   |  is_over
      |                   |-------------> ended
      |                   |  otherwise
      |                   +-------------> out_of_steps
      +-------------------+ has_steps_left

The baseline that every other strategy is measured against: no plan, no second opinion. What it sees of its past is
a list of the last commands with their output. Source: the interactive coding agent of Yang, Prabhakar, Narasimhan,
Yao: "InterCode: Standardizing and Benchmarking Interactive Coding with Execution Feedback", 2023,
arXiv:2306.14898.
Differs from the paper: the agent may think aloud, its command is marked by a word, and it is not shown a reward.
Costs: one model call and one environment step a command, so at most `steps_left` of each; each reply that is asked
again costs one call more.
"""

from typing import ClassVar

from attrs import evolve, field, frozen

from tinysmith import Agent, Edge, Field, Halt, Node, Observation, Strategy, Task, Template, World
from tinysmith.memory import Exchange, Memory, Remember
from tinysmith.parsing import one_command
from tinysmith.retrieval import Passage

FULL_REWARD = 1.0


@frozen
class Challenge:
    """The board of one episode.

    Attributes:
        query: What is to be done.
        instructions: How to act in the environment; empty where it does not say.
        is_few_shot: Whether the prompt shows examples of good replies.
        queries: What was looked up, where something looks things up.
        knowledge: What was found, the best first; goes into the prompt.
        command: What the agent sends next.
        output: What it printed.
        reward: What it earned; the environment's grade once the episode is over.
        memory: The last commands with their output.
        steps_left: How many more commands may be sent.
        is_over: Whether the environment has ended the episode.
    """

    query: str = ""
    instructions: str = ""
    is_few_shot: bool = field(default=False, kw_only=True)
    queries: tuple[str, ...] = field(default=(), kw_only=True)
    knowledge: tuple[Passage, ...] = field(default=(), kw_only=True)
    command: str = field(default="", kw_only=True)
    output: str = field(default="", kw_only=True)
    reward: float = field(default=0.0, kw_only=True)
    memory: Memory = field(default=Memory(), kw_only=True)
    steps_left: int = field(default=20, kw_only=True)
    is_over: bool = field(default=False, kw_only=True)


def is_over(challenge: Challenge) -> bool:
    """The environment has ended the episode."""
    return challenge.is_over


def is_solved(challenge: Challenge) -> bool:
    """The environment has ended the episode with the full reward."""
    return challenge.is_over and challenge.reward >= FULL_REWARD


def has_steps_left(challenge: Challenge) -> bool:
    """Another command may be sent."""
    return challenge.steps_left > 0


class Solver(Agent[Challenge]):
    """Thinks, and ends its reply with one command."""

    samples = (
        "Command: SHOW TABLES",
        "The table boats has what is asked for.\nCommand: DESCRIBE boats",
        "Command: submit",
    )
    prompt = Template("prompts/single_agent/agent.jinja")

    def parse(self, challenge: Challenge, reply: str, /) -> Challenge:
        """Takes the one command."""
        return evolve(challenge, command=one_command(reply))


class Shell(World[Challenge]):
    """Runs the command."""

    def action(self, challenge: Challenge, /) -> str:
        """The agent's command."""
        return challenge.command

    def observe(self, challenge: Challenge, seen: Observation, /) -> Challenge:
        """Keeps what was seen, and counts the step."""
        return evolve(
            challenge,
            output=seen.text,
            reward=seen.reward,
            steps_left=challenge.steps_left - 1,
            is_over=seen.terminated or seen.truncated,
        )


class SingleAgent(Strategy[Challenge]):
    """One agent sends commands until the environment is over or its steps are."""

    agent = Solver()
    shell = Shell()
    memory = Remember[Challenge](
        Field(lambda challenge: challenge.memory, lambda challenge, memory: evolve(challenge, memory=memory)),
        lambda challenge: Exchange(challenge.command, challenge.output),
    )
    solved = Halt(success=True)
    ended = Halt()
    out_of_steps = Halt()

    initial: Node[Challenge] = agent
    edges: tuple[Edge[Challenge], ...] = (
        agent.to(shell),
        shell.to(memory),
        memory.to(solved, when=is_solved),
        memory.to(ended, when=is_over),
        memory.to(agent, when=has_steps_left),
        memory.to(out_of_steps),
    )
    allow: ClassVar = {"read-unwritten:agent": "knowledge is for strategies that look things up, such as OpenBook"}

    def brief(self, task: Task, observation: str, /) -> Challenge:
        """The board with the task's question, or what the environment shows first where the task has none."""
        return Challenge(query=task.query or observation, instructions=task.instructions)
