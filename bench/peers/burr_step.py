"""Burr on the review workload; prints microseconds a hop."""

import os
import sys
import time

os.environ["HAMILTON_TELEMETRY_ENABLED"] = "false"

from burr.core import ApplicationBuilder, Condition, State, action


@action(reads=["replies"], writes=["replies"])
def work(state: State) -> State:
    return state.update(replies=state["replies"] + 1)


@action(reads=["replies", "reviews"], writes=["replies", "reviews"])
def review(state: State) -> State:
    return state.update(replies=state["replies"] + 1, reviews=state["reviews"] + 1)


@action(reads=[], writes=[])
def done(state: State) -> State:
    return state


steps = int(sys.argv[1])
over = Condition(["replies"], lambda state: state["replies"] >= steps, name="over")
approved = Condition(["reviews"], lambda state: state["reviews"] % 3 == 0, name="approved")
app = (
    ApplicationBuilder()
    .with_state(replies=0, reviews=0)
    .with_actions(planner=work, reviewer=review, executor=work, done=done)
    .with_transitions(
        ("planner", "done", over),
        ("planner", "reviewer"),
        ("reviewer", "done", over),
        ("reviewer", "executor", approved),
        ("reviewer", "planner"),
        ("executor", "done", over),
        ("executor", "planner"),
    )
    .with_entrypoint("planner")
    .build()
)
begin = time.perf_counter()
_, _, state = app.run(halt_after=["done"])
spent = time.perf_counter() - begin
assert state["replies"] == steps
print(spent / steps * 1e6)
