"""A single agent that looks things up before it begins.

                                                      is_solved
    questioner --> retriever --> agent --> shell --> memory ---------> solved
                       |         ^ ^                   |  is_over
                       +---------+ |                   |-------------> ended
                          fails    |                   |  otherwise
                                   |                   +-------------> out_of_steps
                                   +-------------------+ has_steps_left

Two nodes and three edges before those of `SingleAgent` add retrieval to it, as they would to any strategy.
`run(..., tools={"retriever": LexicalIndex("docs.db")})` binds the retriever to an index; where it fails, the agent
begins without knowledge.
Source: Lewis et al.: "Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks", 2020, arXiv:2005.11401.
Differs from the paper: nothing is trained, and a model writes the queries.
Costs: one model call for the queries, and then as `SingleAgent`: so at most `steps_left + 1` model calls and
`steps_left` environment steps; each reply that is asked again costs one call more.
"""

from attrs import evolve

from machines.single_agent import Challenge, SingleAgent
from tinysmith import Edge, Field
from tinysmith.retrieval import Retrieve, WriteQueries


class OpenBook(SingleAgent):
    """A single agent that looks things up before it begins."""

    questioner = WriteQueries[Challenge](
        lambda challenge: challenge.query,
        Field(lambda challenge: challenge.queries, lambda challenge, queries: evolve(challenge, queries=queries)),
    )
    retriever = Retrieve[Challenge](
        lambda challenge: challenge.queries,
        Field(lambda challenge: challenge.knowledge, lambda challenge, found: evolve(challenge, knowledge=found)),
    )

    initial = questioner
    edges: tuple[Edge[Challenge], ...] = (
        questioner.to(retriever),
        retriever.to(SingleAgent.agent),
        retriever.on_failure(SingleAgent.agent),
        *SingleAgent.edges,
    )
