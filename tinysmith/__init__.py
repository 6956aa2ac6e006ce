"""Multi-agent LLM strategies as explicit state machines that you can see, prove and resume."""

from tinysmith.drivers import arun, awalk, run, walk
from tinysmith.errors import DefinitionError, ParseError, TinysmithError
from tinysmith.journal import Journal, aresume, fork, replay, resume
from tinysmith.limits import Limits
from tinysmith.mapping import FrozenDict
from tinysmith.messages import (
    Act,
    Ask,
    Call,
    Done,
    Failed,
    Message,
    Observation,
    Reply,
    Result,
    ToolCall,
    Usage,
)
from tinysmith.models import LLM, Human, Recorded, Samples, Scripted
from tinysmith.nodes import Agent, Edge, Field, Guard, Halt, Node, Panel, Rule, Tool, World
from tinysmith.orchestrator import Orchestrator
from tinysmith.position import Hop, Position
from tinysmith.protocols import Environment, EnvironmentStep, Grade, Model, Task, Taskset
from tinysmith.run import Run, Step
from tinysmith.strategy import Strategy
from tinysmith.templates import Template
from tinysmith.typed import Typed

__all__ = [
    "LLM",
    "Act",
    "Agent",
    "Ask",
    "Call",
    "DefinitionError",
    "Done",
    "Edge",
    "Environment",
    "EnvironmentStep",
    "Failed",
    "Field",
    "FrozenDict",
    "Grade",
    "Guard",
    "Halt",
    "Hop",
    "Human",
    "Journal",
    "Limits",
    "Message",
    "Model",
    "Node",
    "Observation",
    "Orchestrator",
    "Panel",
    "ParseError",
    "Position",
    "Recorded",
    "Reply",
    "Result",
    "Rule",
    "Run",
    "Samples",
    "Scripted",
    "Step",
    "Strategy",
    "Task",
    "Taskset",
    "Template",
    "TinysmithError",
    "Tool",
    "ToolCall",
    "Typed",
    "Usage",
    "World",
    "aresume",
    "arun",
    "awalk",
    "fork",
    "replay",
    "resume",
    "run",
    "walk",
]
