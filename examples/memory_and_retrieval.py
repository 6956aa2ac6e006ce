"""A strategy of our own with retrieval and memory, each of which is a node or two and an edge or two.

    python examples/memory_and_retrieval.py
    python examples/memory_and_retrieval.py --model groq/llama-3.1-8b-instant     # with GROQ_API_KEY set

A clerk at the desk of a ferry line answers from its documents, and only from them: an answer that names a source
which the clerk was not shown is asked for again. Without a model a script plays; it makes that mistake once.
"""

import argparse
import sys

from attrs import evolve, field, frozen

from tinysmith import LLM, Field, Halt, Limits, ParseError, Rule, Scripted, Step, Strategy, Template, Typed, run
from tinysmith.drawing import outline
from tinysmith.memory import Exchange, Memory, Remember, Summarise
from tinysmith.retrieval import LexicalIndex, Passage, Retrieve, WriteQueries

DOCUMENTS = (
    Passage("A dog travels for 3.20 on every route, on a leash. Cats in a basket travel free.", "animals.md"),
    Passage("Who brings an animal boards first, and is at the quay 20 minutes before departure.", "boarding.md"),
    Passage("Alderwick to Brimsey: 7.50, 35 minutes. Alderwick to Corrie Sound: 14.00, 80 minutes.", "fares.md"),
)
QUESTIONS = ("What do I pay from Alderwick to Brimsey, with my dog?", "And when must we be there?")
SCRIPT = {
    "questioner": ["fare Alderwick Brimsey\ndog fare", "boarding with an animal"],
    "clerk": [
        '{"text": "7.50 for you and 3.20 for the dog: 10.70.", "sources": ["fares.md", "animals.md"]}',
        '{"text": "20 minutes before departure.", "sources": ["timetable.md"]}',
        '{"text": "20 minutes before departure; you board first.", "sources": ["boarding.md"]}',
    ],
    "summary": ["The traveller sails from Alderwick to Brimsey with a dog, for 10.70."],
}


@frozen
class Answer:
    """What the clerk says, and which documents it is from; of none, where they do not tell."""

    text: str
    sources: tuple[str, ...] = ()


@frozen
class Desk:
    """The board: one traveller at the desk."""

    question: str  # what the traveller asks now; empty when there is nothing more
    waiting: tuple[str, ...] = ()  # what comes after it
    queries: tuple[str, ...] = ()  # what is looked up
    knowledge: tuple[Passage, ...] = ()  # what was found, the best first
    answer: Answer = Answer("")  # what the clerk said last
    memory: Memory = field(default=Memory())  # the conversation so far


def is_memory_long(desk: Desk) -> bool:
    """There is more to remember word for word than the last answer."""
    return len(desk.memory.exchanges) > 1


def is_quiet(desk: Desk) -> bool:
    """The traveller has no more questions."""
    return desk.question == ""


PROMPT = """
You answer at the desk of a ferry line, from its documents alone:
{% for passage in knowledge %}
[{{ passage.source }}] {{ passage.text }}
{% endfor %}
What was said before: {{ memory.text or "nothing" }}
The traveller asks: {{ question }}
Answer with JSON of this form alone: {"text": "…", "sources": ["…"]}
"""


class Clerk(Typed[Desk, Answer]):
    """Answers from the documents. The reply is an `Answer`: a reply that is none is asked for again."""

    samples = ('{"text": "The documents do not tell."}', '{"text": "It is 7.50.", "sources": ["fares.md"]}')
    prompt = Template(source=PROMPT)

    def accept(self, desk: Desk, answer: Answer, /) -> Desk:
        """Takes an answer whose sources are among those that the clerk was shown."""
        shown = {passage.source for passage in desk.knowledge}
        foreign = [source for source in answer.sources if source not in shown]
        if foreign:
            raise ParseError(f"You were not shown {foreign[0]!r}. Name only sources that stand above in brackets.")
        return evolve(desk, answer=answer)


class Bell(Rule[Desk]):
    """Calls the next question."""

    def apply(self, desk: Desk, /) -> Desk:
        """The board with the next question; with none, where none is waiting."""
        question, *waiting = desk.waiting or ("",)
        return evolve(desk, question=question, waiting=tuple(waiting))


# A node that knows nothing of this board reads and writes it through lenses; `[Desk, …]` lets mypy check them.
QUERIES = Field[Desk, tuple[str, ...]](lambda desk: desk.queries, lambda desk, new: evolve(desk, queries=new))
KNOWLEDGE = Field[Desk, tuple[Passage, ...]](
    lambda desk: desk.knowledge, lambda desk, new: evolve(desk, knowledge=new)
)
MEMORY = Field[Desk, Memory](lambda desk: desk.memory, lambda desk, new: evolve(desk, memory=new))


class HelpDesk(Strategy[Desk]):
    """A clerk answers questions from documents, and remembers what was said."""

    questioner = WriteQueries[Desk](
        lambda desk: f"{desk.question}\n\nSaid before: {desk.memory.text or 'nothing'}", QUERIES
    )
    retriever = Retrieve[Desk](QUERIES.get, KNOWLEDGE, most=2)
    clerk = Clerk()
    memory = Remember[Desk](MEMORY, lambda desk: Exchange(desk.question, desk.answer.text), keep=None)
    summary = Summarise[Desk](MEMORY, keep=1)
    bell = Bell()
    closed = Halt(success=True)

    initial = questioner
    edges = (
        questioner.to(retriever),  # retrieval: two nodes before the clerk
        retriever.to(clerk),
        clerk.to(memory),  # memory: one node after it
        memory.to(summary, when=is_memory_long),  # its summary: one more, asked for only when there is much
        memory.to(bell),
        summary.to(bell),
        bell.to(closed, when=is_quiet),
        bell.to(questioner),
    )


def show(step: Step[Desk]) -> None:
    """Prints where the run went and why, and what was said or found."""
    found = ", ".join(passage.source for passage in step.board.knowledge)
    print(f"{step.number:>2} {step.node} {step.way}\n     {found if step.node == 'retriever' else step.said()}")


def main() -> None:
    """Runs the desk, and prints what it did and what it remembers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="provider/model; without one, a script plays")
    name = parser.parse_args().model
    print(outline(HelpDesk))
    result = run(
        HelpDesk(),
        Desk(QUESTIONS[0], QUESTIONS[1:]),
        model=LLM(name) if name else Scripted(SCRIPT),
        tools={"retriever": LexicalIndex.of(DOCUMENTS)},  # or LexicalIndex("docs.db"), from `tinysmith index`
        limits=Limits(max_asks=30),
        listeners=[show],
    )
    print(f"\nended as {result.outcome} after {len(result.steps)} steps, {result.usage.tokens} tokens")
    print(f"what it remembers:\n{result.board.memory.text}")
    if result.error:
        sys.exit(result.error.message)


if __name__ == "__main__":
    main()
