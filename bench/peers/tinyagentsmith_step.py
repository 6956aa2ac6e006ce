"""The original tinysmith 0.9.1, two agents in turn, every second hop an environment step; prints µs a hop."""

import sys
import time

from tinysmith.agent.agent import Agent
from tinysmith.llm.adapters import UserMessage
from tinysmith.orchestrator.orchestrator import Orchestrator
from tinysmith.orchestrator.prompting import PromptEngineer
from tinysmith.orchestrator.state import State


class Echo:
    def generate(self, messages):
        return "ok"


class Prompts(PromptEngineer):
    def render_prompt(self, obs, history, state):
        history.clear()
        history.append(UserMessage("go"))

    def process_response(self, obs, response, history, state):
        return response

    def reset(self):
        pass


def hand_off(obs, state):
    if state.get_agent_name() == "planner":
        state.set_agent_name("reviewer")
        state.set_is_envstep(True)
    else:
        state.set_agent_name("planner")


steps = int(sys.argv[1])
state = State()
state.set_max_errors(3)
agents = [Agent("planner", Prompts(), Echo()), Agent("reviewer", Prompts(), Echo())]
orchestrator = Orchestrator(agents, hand_off, state)
begin = time.perf_counter()
for _ in range(steps // 2):
    orchestrator.forward("seen", 0)
print((time.perf_counter() - begin) / steps * 1e6)
