"""The workload of the step benchmarks: planner, reviewer, now and then an executor; trivial prompts and parses."""

from attrs import frozen

from tinysmith import Agent, Ask, Reply, Strategy
from tinysmith.messages import FREE


@frozen
class Count:
    """How many replies came, and how many of them to the reviewer."""

    replies: int = 0
    reviews: int = 0


def is_approved(count: Count) -> bool:
    """Every third review approves."""
    return count.reviews % 3 == 0


class Worker(Agent[Count]):
    """Counts its replies."""

    def prompt(self, count: Count, /) -> str:
        return "go"

    def parse(self, count: Count, reply: str, /) -> Count:
        return Count(count.replies + 1, count.reviews)


class Reviewer(Agent[Count]):
    """Counts its replies and reviews."""

    def prompt(self, count: Count, /) -> str:
        return "go"

    def parse(self, count: Count, reply: str, /) -> Count:
        return Count(count.replies + 1, count.reviews + 1)


class Review(Strategy[Count]):
    """A plan, a review, and now and then an execution; without end."""

    planner = Worker()
    reviewer = Reviewer()
    executor = Worker()

    initial = planner
    edges = (
        planner.to(reviewer),
        reviewer.to(executor, when=is_approved),
        reviewer.to(planner),
        executor.to(planner),
    )
    allow = {"no-exit": "the benchmark stops it by a limit"}


class Echo:
    """A model that answers at once."""

    reply = Reply("ok", usage=FREE, model="echo")

    def ask(self, request: Ask, /) -> Reply:
        return self.reply

    async def aask(self, request: Ask, /) -> Reply:
        return self.reply
