"""LangGraph on the review workload; prints microseconds a hop."""

import sys
import time
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    replies: int
    reviews: int
    most: int


def work(state: State) -> dict[str, int]:
    return {"replies": state["replies"] + 1}


def review(state: State) -> dict[str, int]:
    return {"replies": state["replies"] + 1, "reviews": state["reviews"] + 1}


def after(target: str):
    return lambda state: END if state["replies"] >= state["most"] else target


def after_review(state: State) -> str:
    if state["replies"] >= state["most"]:
        return END
    return "executor" if state["reviews"] % 3 == 0 else "planner"


graph = StateGraph(State)
graph.add_node("planner", work)
graph.add_node("reviewer", review)
graph.add_node("executor", work)
graph.add_edge(START, "planner")
graph.add_conditional_edges("planner", after("reviewer"), ["reviewer", END])
graph.add_conditional_edges("reviewer", after_review, ["executor", "planner", END])
graph.add_conditional_edges("executor", after("planner"), ["planner", END])
app = graph.compile()
steps = int(sys.argv[1])
begin = time.perf_counter()
state = app.invoke({"replies": 0, "reviews": 0, "most": steps}, {"recursion_limit": steps + 10})
spent = time.perf_counter() - begin
assert state["replies"] == steps
print(spent / steps * 1e6)
