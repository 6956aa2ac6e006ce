"""A person approves, edits or refuses each command before it is run.

    python examples/human_in_the_loop.py                                       # you are asked, a script proposes
    python examples/human_in_the_loop.py --offline                             # a script answers in your place
    python examples/human_in_the_loop.py --model groq/llama-3.1-8b-instant     # with GROQ_API_KEY set

A person is one more agent of the machine: the node has a prompt and reads a reply, and guards decide what it leads
to. Here it comes between agent and shell of `machines/single_agent.py`. That it is a person, and no model, is said
when the run starts: `model={"person": Human(), "*": ...}`. Where nobody sits at a terminal and no model is given,
a script answers in the person's place.
"""

import argparse
import io
import sys

from attrs import evolve

from machines import SingleAgent
from machines.single_agent import Challenge, has_steps_left
from tinysmith import LLM, Agent, Edge, Halt, Human, ParseError, Scripted, Step, run
from tinysmith.drawing import outline
from tinysmith.environments import SqlEnvironment
from tinysmith.memory import Exchange

TASK = "idle-boats"
PROPOSALS = (
    "Command: SELECT name FROM boats",
    "Command: DESCRIBE sailings",
    "Command: SELECT name FROM boats WHERE boat_id IN (SELECT boat_id FROM sailings)",
    *("Command: submit",) * 20,
)
ANSWERS = (
    "no: those are all boats. Look at the sailings first.",
    "yes",
    "run: SELECT name FROM boats WHERE boat_id NOT IN (SELECT boat_id FROM sailings)",
    "yes",
)


def is_approved(challenge: Challenge) -> bool:
    """The person let a command through: the one that was proposed, or another."""
    return challenge.command != ""


class Person(Agent[Challenge]):
    """Says what becomes of the command that the agent proposed."""

    samples = ("yes", "no: that is too much", "run: SHOW TABLES", "stop")

    def prompt(self, challenge: Challenge, /) -> str:
        """The command, and what may be answered."""
        return f"Run this?  {challenge.command}\nAnswer yes, no: why, run: another command, or stop."

    def parse(self, challenge: Challenge, reply: str, /) -> Challenge:
        """Takes the verdict; what is not clearly one is asked again, of people too."""
        word, _, rest = (part.strip() for part in reply.partition(":"))
        match word.lower(), rest:
            case "yes", "":
                return challenge
            case "run", command if command:
                return evolve(challenge, command=command)
            case "no", reason if reason:
                return refused(challenge, reason)
            case "stop", "":
                return evolve(challenge, command="", steps_left=0)
        raise ParseError("That is no answer. Say `yes`, `no: why`, `run: another command` or `stop`.")


def refused(challenge: Challenge, reason: str) -> Challenge:
    """The board without the command; what was said against it is in the memory, where the agent reads it."""
    exchange = Exchange(challenge.command, f"(not run; a person refused it: {reason})")
    exchanges = (*challenge.memory.exchanges, exchange)
    return evolve(challenge, command="", memory=evolve(challenge.memory, exchanges=exchanges))


class UnderWatch(SingleAgent):
    """One agent proposes commands, a person decides, the shell runs what was approved."""

    person = Person()
    stopped = Halt()

    edges: tuple[Edge[Challenge], ...] = (
        SingleAgent.agent.to(person),
        person.to(SingleAgent.shell, when=is_approved),
        person.to(SingleAgent.agent, when=has_steps_left),
        person.to(stopped),
        *(edge for edge in SingleAgent.edges if edge.source is not SingleAgent.agent),
    )


def show(step: Step[Challenge]) -> None:
    """Prints where the run went and why, and what was said or seen."""
    if step.node == "person":
        print()
    print(f"{step.number:>2} {step.node} {step.way}: {step.said()}")


def main() -> None:
    """Runs the strategy, and prints how it ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="provider/model that proposes; without one, a script does")
    parser.add_argument("--offline", action="store_true", help="let a script answer in the person's place")
    arguments = parser.parse_args()
    is_scripted = arguments.offline or not (arguments.model or sys.stdin.isatty())
    print(outline(UnderWatch))
    if is_scripted:
        print("(Nobody is asked: the person's answers come from a script.)\n")
    environment = SqlEnvironment.demo()
    result = run(
        UnderWatch(),
        model={
            "person": Human(stdin=io.StringIO("\n\n".join(ANSWERS))) if is_scripted else Human(),
            "*": LLM(arguments.model) if arguments.model else Scripted(PROPOSALS),
        },
        environment=environment,
        task=environment.tasks[TASK],
        listeners=[show],
    )
    print(f"\nended as {result.outcome}, {result.usage.tokens} tokens; what was run, seen and refused:")
    print(result.board.memory.text)
    if result.error:
        sys.exit(result.error.message)


if __name__ == "__main__":
    main()
