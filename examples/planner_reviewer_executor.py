r"""A team with a large and a small model: the large one plans and reviews, the small one does the work.

    python examples/planner_reviewer_executor.py
    python examples/planner_reviewer_executor.py --model groq/llama-3.3-70b-versatile \
        --small-model groq/llama-3.1-8b-instant                      # with GROQ_API_KEY set

The strategy is `machines/planner_reviewer_executor.py`; it works on the small SQL database that comes with
tinysmith. Which role has which model is decided when the run starts, and the strategy knows nothing of it. Without
a model, two scripts play them.
"""

import argparse
import sys

from attrs import evolve

from machines import PlannerReviewerExecutor
from machines.planner_reviewer_executor import Mission
from tinysmith import LLM, Ask, Limits, Model, Reply, Scripted, Step, Usage, run
from tinysmith.environments import SqlEnvironment

TASK = "boats-per-port"

LARGE = {
    "planner": [
        '{"tasks": ["Count the boats of each port and submit."]}',
        '{"tasks": ["Find out how boats and ports are linked.", "Count the boats of each port, and submit."]}',
    ],
    "reviewer": [
        '{"accepted": false, "feedback": "Nobody knows the columns yet. Look at the tables first."}',
        '{"accepted": true}',
        '{"accepted": true}',
    ],
}
SMALL = {
    "executor": [
        "Command: DESCRIBE boats",
        "Command: DESCRIBE ports",
        "Knowledge: boats.home_port_id is a ports.port_id\nDone: Boats and ports are linked by port_id.",
        "Command: SELECT p.name, COUNT(*) FROM boats JOIN ports p ON home_port_id = port_id GROUP BY 1 ORDER BY 1",
        "Command: submit",
    ],
}


class Pretended(Scripted):
    """A script with a model's name and price: it takes words for tokens, so that there is something to add up."""

    def __init__(self, name: str, replies: dict[str, list[str]], *, usd_per_token: float) -> None:
        super().__init__(replies)
        self.name = name
        self.usd_per_token = usd_per_token

    def ask(self, request: Ask, /) -> Reply:
        """The next reply, with what it would have cost."""
        reply = super().ask(request)
        read = sum(len(message.content.split()) for message in request.messages)
        written = len(reply.text.split())
        usage = Usage(read, written, (read + written) * self.usd_per_token)
        return evolve(reply, model=self.name, usage=usage)


def models(large: str | None, small: str | None) -> dict[str, Model]:
    """Who plays which role: nodes by name, "*" for the rest; here that is the executor, also when it wraps up."""
    if large is None:
        boss: Model = Pretended("large", LARGE, usd_per_token=1e-6)
        worker: Model = Pretended("small", SMALL, usd_per_token=5e-8)
    else:
        boss, worker = LLM(large, temperature=0.2), LLM(small or large, temperature=0.2)
    return {"planner": boss, "reviewer": boss, "*": worker}


def show(step: Step[Mission]) -> None:
    """Prints where the run went and why, and what was said or seen."""
    print(f"{step.number:>2} {step.node} {step.way}\n     {step.said()}")


def tell(title: str, usage: Usage) -> None:
    """Prints what some of the replies cost."""
    cost = "price not known" if usage.cost_usd is None else f"${usage.cost_usd:.6f}"
    print(f"  {title:<30} {usage.input_tokens:>6} read {usage.output_tokens:>6} written   {cost}")


def main() -> None:
    """Runs the team on the task, and prints what it did, and what each model and each role cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="provider/model of planner and reviewer; without one, scripts play")
    parser.add_argument("--small-model", help="provider/model of the executor; without one, it is the large one")
    arguments = parser.parse_args()
    if arguments.small_model and not arguments.model:
        parser.error("--small-model needs --model beside it")

    environment = SqlEnvironment.demo()
    task = environment.tasks[TASK]
    print(f"The mission: {task.query}\n")
    result = run(
        PlannerReviewerExecutor(),
        model=models(arguments.model, arguments.small_model),
        environment=environment,
        task=task,
        limits=Limits(max_asks=60),
        listeners=[show],
    )
    print(f"\nended as {result.outcome}, {'solved' if result.solved else 'not solved'}")
    print(f"the team knows: {'; '.join(result.board.knowledge)}")
    print("by model")
    for name, usage in result.usage.by_model.items():
        tell(name, usage)
    print("by role")
    for name, usage in result.usage.by_node.items():
        tell(name, usage)
    tell("all together", result.usage.total)
    if result.error:
        sys.exit(result.error.message)


if __name__ == "__main__":
    main()
