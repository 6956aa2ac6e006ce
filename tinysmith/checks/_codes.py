"""What is looked for, by code: how bad it is, what it means, and what to do about it in general."""

from collections.abc import Mapping

from attrs import frozen

from tinysmith.errors import Level


@frozen
class Rule:
    """One check.

    Attributes:
        level: How bad what it finds is.
        name: What it finds, in a few words.
        help: What that means for a run.
    """

    level: Level
    name: str
    help: str


SEARCHED: Mapping[str, Rule] = {
    "no-guard-holds": Rule(
        "error", "No guard holds", "A run that comes to such a board is stuck: it raises NoEdgeError."
    ),
    "guard-raises": Rule(
        "error", "A guard raises", "A guard answers on every board; where it raises, the run ends."
    ),
    "guard-not-bool": Rule(
        "error", "A guard answers no bool", "Any other answer than True or False ends the run."
    ),
    "guard-mutates": Rule(
        "error",
        "A guard changes the board",
        "Runs share boards and ask guards in any number, so a guard only reads.",
    ),
    "guard-wavers": Rule(
        "error", "A guard answers differently", "A run that is replayed or resumed would take another way."
    ),
    "guard-never-held": Rule("error", "A guard never held", "The edge behind it may be dead."),
    "edge-never-taken": Rule(
        "error", "An edge was never taken", "It may be dead: an earlier one is always taken."
    ),
    "unbounded-cycle": Rule(
        "error", "A cycle that nothing bounds", "Only limits end such a run, and every round may be paid for."
    ),
    "max-hops": Rule(
        "error", "Rules lead to rules for too long", "The run ends as max_hops, whatever is answered."
    ),
    "live-lock": Rule("error", "No way to an end", "The run goes on until a limit, whatever is answered."),
    "hidden-state": Rule(
        "error", "A node keeps something of its own", "Runs share nodes; resumed and replayed runs would differ."
    ),
    "not-json": Rule("error", "A position that cannot be saved", "The run could be neither saved nor resumed."),
    "node-raises": Rule(
        "error", "A node raises", "The run ends with that exception. A bad reply is a ParseError."
    ),
    "bad-prompt": Rule("error", "A request that cannot be sent", "The run ends with a PromptError."),
    "not-searched": Rule("error", "Nothing was searched", "It is not known whether anything is wrong."),
    "read-unwritten": Rule("warning", "Read before it is written", "The prompt or guard only ever sees it empty."),
    "paid-after-end": Rule(
        "warning", "Asks after the end of the environment", "They are paid for, and change nothing in it any more."
    ),
    "order-decides": Rule(
        "information", "Two guards hold", "The order of the edges decides; which may be just what is meant."
    ),
    "field-never-read": Rule("information", "A field that nothing reads", "It may be a result, or left over."),
    "not-proved": Rule("information", "Not proved", "What the search did not come to may be otherwise."),
}
"""What a search finds."""

DECLARED: Mapping[str, Rule] = {
    code: Rule("error", name, "The class is refused when it is created.")
    for code, name in {
        "bad-allowance": "An allowance that is none",
        "bad-guard": "A guard that cannot be one",
        "bad-template": "A template that cannot be read",
        "board-type": "A field that would not survive JSON",
        "edge-after-otherwise": "An edge after the one without a guard",
        "edge-from-halt": "An edge that leaves a halt",
        "no-board": "No board is named",
        "no-edges": "No edge leaves a node",
        "no-exit": "Neither a halt nor a world node can be reached",
        "no-initial": "No initial node",
        "no-otherwise": "No edge without a guard",
        "not-an-edge": "Something that is no edge",
        "reserved-outcome": "A halt named like another outcome",
        "same-guard-twice": "A guard that stands on two edges",
        "second-failure-edge": "Two failure edges",
        "shadowed-method": "A node that hides a method of Strategy",
        "template-name": "A template reads what the board does not have",
        "two-names": "One node under two names",
        "unknown-node": "An edge to what is no node of the class",
        "unreachable-node": "A node to which no edges lead",
        "unused-node": "A node that no edge mentions",
    }.items()
}
"""What the creation of a class finds."""

RULES: Mapping[str, Rule] = {**SEARCHED, **DECLARED}
