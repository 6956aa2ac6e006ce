"""A planner plans, a reviewer judges the plan, an executor works through it, task after task.

    planner ──┬─ has_rejects_left ──> reviewer
              └─ otherwise ─────────> executor
    reviewer ─┬─ is_rejected ───────> planner
              ├─ is_plan_done ──────> finished
              └─ otherwise ─────────> executor
    executor ─┬─ has_command ───────> shell ──> memory
              └─ otherwise ─────────> check_off
    memory ───┬─ is_solved ─────────> solved
              ├─ is_over ───────────> ended
              ├─ is_out_of_steps ───> wrap_up ──> check_off
              └─ otherwise ─────────> executor
    check_off ┬─ has_rejects_left ──> reviewer
              ├─ is_plan_done ──────> finished
              └─ otherwise ─────────> executor

Three roles share a mission; a large model may plan and review while a small one executes. Source: planning before
acting is from Wang, Xu, Lan, Hu, Lan, Lee, Lim: "Plan-and-Solve Prompting: Improving Zero-Shot Chain-of-Thought
Reasoning by Large Language Models", 2023, arXiv:2305.04091.
Differs from the paper: the roles are agents of their own, a reviewer judges the plan and judges it again after
every task, and the executor acts in an environment.
Costs: with R rejections, T tasks checked off and S commands sent, `1 + R` model calls for plans, `S + T` for
commands and reports, and while a rejection is left `1 + R + T` for reviews (none afterwards); never more than
`(rejects_left + 1) * (2 + most_tasks * (max_steps + 2))`. Each reply that is asked again costs one call more.
"""

from attrs import evolve, field, frozen
from attrs.validators import ge

from tinysmith import (
    Agent,
    Edge,
    Field,
    Halt,
    Node,
    Observation,
    ParseError,
    Rule,
    Strategy,
    Task,
    Template,
    Typed,
    World,
)
from tinysmith.memory import Exchange, Memory, Remember
from tinysmith.parsing import one_command, sections

FULL_REWARD = 1.0
NOT_SUMMED_UP = "(not finished, and not summed up)"


@frozen
class Plan:
    """The tasks that are left, in the order in which they are to be done, each in one sentence."""

    tasks: tuple[str, ...]


@frozen
class Review:
    """Whether the plan is good as it stands, and if not, what to change."""

    accepted: bool
    feedback: str = ""


@frozen
class Report:
    """What a task came to.

    Attributes:
        summary: What was done and found.
        knowledge: Facts that may be of use to later tasks.
        task: The task, once it is checked off.
    """

    summary: str
    knowledge: tuple[str, ...] = ()
    task: str = ""


@frozen
class Mission:
    """The board of the team.

    Attributes:
        query: What is to be done in the end.
        instructions: How to act in the environment; empty where it does not say.
        is_few_shot: Whether the prompts show examples of good replies.
        max_steps: Commands that a task may take before it is to be wrapped up.
        most_tasks: Tasks that a plan may have.
        rejects_left: How many more times the reviewer may send the plan back; at 0 it stands.
        plan: The tasks that are left.
        feedback: What the reviewer wants changed; empty where the plan is accepted.
        command: What the executor sends next; empty where it reported instead.
        output: What the command printed.
        reward: What it earned; the environment's grade once the episode is over.
        memory: The commands of the task at hand with their output.
        report: What the executor reported on the task at hand; None while it works on it.
        reports: The tasks that are checked off, oldest first.
        knowledge: The facts that the team has gathered, oldest first, none twice.
        is_over: Whether the environment has ended the episode.
    """

    query: str = ""
    instructions: str = ""
    is_few_shot: bool = field(default=False, kw_only=True)
    max_steps: int = field(default=10, kw_only=True, validator=ge(1))
    most_tasks: int = field(default=8, kw_only=True, validator=ge(1))
    rejects_left: int = field(default=2, kw_only=True)
    plan: tuple[str, ...] = field(default=(), kw_only=True)
    feedback: str = field(default="", kw_only=True)
    command: str = field(default="", kw_only=True)
    output: str = field(default="", kw_only=True)
    reward: float = field(default=0.0, kw_only=True)
    memory: Memory = field(default=Memory(), kw_only=True)
    report: Report | None = field(default=None, kw_only=True)
    reports: tuple[Report, ...] = field(default=(), kw_only=True)
    knowledge: tuple[str, ...] = field(default=(), kw_only=True)
    is_over: bool = field(default=False, kw_only=True)


def has_rejects_left(mission: Mission) -> bool:
    """The reviewer may still send the plan back."""
    return mission.rejects_left > 0


def is_rejected(mission: Mission) -> bool:
    """The reviewer wants the plan changed."""
    return mission.feedback != ""


def is_plan_done(mission: Mission) -> bool:
    """No task is left."""
    return not mission.plan


def has_command(mission: Mission) -> bool:
    """The executor sends a command, instead of reporting that the task is done."""
    return mission.command != ""


def is_over(mission: Mission) -> bool:
    """The environment has ended the episode."""
    return mission.is_over


def is_solved(mission: Mission) -> bool:
    """The environment has ended the episode with the full reward."""
    return mission.is_over and mission.reward >= FULL_REWARD


def is_out_of_steps(mission: Mission) -> bool:
    """The task at hand has had all the commands that it may take."""
    return len(mission.memory.exchanges) >= mission.max_steps


class Planner(Typed[Mission, Plan]):
    """Writes a plan, or a better one where the reviewer gave feedback."""

    samples = (
        '{"tasks": ["Find the tables that hold boats.", "Count the boats and submit."]}',
        '{"tasks": ["Answer the question and submit."]}',
    )
    prompt = Template("prompts/planner_reviewer_executor/planner.jinja")

    def accept(self, mission: Mission, plan: Plan, /) -> Mission:
        """Takes a plan of at least one task and not too many."""
        tasks = tuple(task.strip() for task in plan.tasks if task.strip())
        if not 1 <= len(tasks) <= mission.most_tasks:
            raise ParseError(f"The plan has {len(tasks)} tasks. Give it 1 to {mission.most_tasks}.")
        return evolve(mission, plan=tasks, feedback="")


class Reviewer(Typed[Mission, Review]):
    """Accepts the plan as it stands, or says what to change."""

    samples = ('{"accepted": true}', '{"accepted": false, "feedback": "Look at the tables first."}')
    prompt = Template("prompts/planner_reviewer_executor/reviewer.jinja")

    def accept(self, mission: Mission, review: Review, /) -> Mission:
        """Takes the verdict; a rejection needs a reason, and uses up one of those that are left."""
        if review.accepted:
            return evolve(mission, feedback="")
        if not review.feedback.strip():
            raise ParseError("You reject the plan without saying what to change. Say it in feedback.")
        return evolve(mission, feedback=review.feedback.strip(), rejects_left=mission.rejects_left - 1)


class Executor(Agent[Mission]):
    """Works on the first task: sends a command, or reports that the task is done."""

    samples = (
        "Command: SHOW TABLES",
        "Command: submit",
        "Knowledge: boats has a row a boat\nDone: There are 7 boats.",
    )
    prompt = Template("prompts/planner_reviewer_executor/executor.jinja")

    def parse(self, mission: Mission, reply: str, /) -> Mission:
        """Takes the one command, or the report."""
        labels = {label for label, _ in sections(reply, ("Command", "Done"))}
        if not labels:
            raise ParseError(
                "End your reply with one line `Command: …`, or with `Done: …` where the task is done."
            )
        if len(labels) > 1:
            raise ParseError("Your reply has both `Command:` and `Done:`. Send a command, or report; not both.")
        if labels == {"Command"}:
            return evolve(mission, command=one_command(reply))
        report = reported(reply)
        if report is None or not report.summary:
            raise ParseError("Say after `Done:` what the task came to.")
        return evolve(mission, command="", report=report)


class WrapUp(Agent[Mission]):
    """Is asked once to sum up a task that has had all its commands; whatever it says, the task counts as done."""

    takes_flawed = True
    samples = ("Done: The port's table is still to be found.", "Command: SHOW TABLES")
    prompt = Template("prompts/planner_reviewer_executor/wrap_up.jinja")

    def parse(self, mission: Mission, reply: str, /) -> Mission:
        """Takes the report, or notes that there is none."""
        report = reported(reply) or Report("")
        return evolve(mission, command="", report=evolve(report, summary=report.summary or NOT_SUMMED_UP))


class Shell(World[Mission]):
    """Runs the command."""

    def action(self, mission: Mission, /) -> str:
        """The executor's command."""
        return mission.command

    def observe(self, mission: Mission, seen: Observation, /) -> Mission:
        """Keeps what was seen."""
        is_over = seen.terminated or seen.truncated
        return evolve(mission, output=seen.text, reward=seen.reward, is_over=is_over)


class CheckOff(Rule[Mission]):
    """Takes the first task off the plan, and its summary and knowledge to the team's lists."""

    def apply(self, mission: Mission, /) -> Mission:
        """The board with the next task first, and nothing of the last one's commands."""
        report = mission.report or Report("")
        return evolve(
            mission,
            plan=mission.plan[1:],
            report=None,
            reports=(*mission.reports, evolve(report, task=mission.plan[0])),
            knowledge=tuple(dict.fromkeys((*mission.knowledge, *report.knowledge))),
            memory=Memory(),
        )


def reported(reply: str) -> Report | None:
    """The report in a reply: what stands after `Done:`, and each fact after `Knowledge:`; None without `Done:`."""
    parts = sections(reply, ("Command", "Knowledge", "Done"))
    done = [text for label, text in parts if label == "Done"]
    if not done:
        return None
    return Report("\n".join(done).strip(), tuple(text for label, text in parts if label == "Knowledge" and text))


class PlannerReviewerExecutor(Strategy[Mission]):
    """A planner plans, a reviewer judges the plan, an executor works through it, task after task."""

    planner = Planner()
    reviewer = Reviewer()
    executor = Executor()
    shell = Shell()
    memory = Remember[Mission](
        Field(lambda mission: mission.memory, lambda mission, memory: evolve(mission, memory=memory)),
        lambda mission: Exchange(mission.command, mission.output),
        keep=None,
    )
    wrap_up = WrapUp()
    check_off = CheckOff()
    solved = Halt(success=True)
    ended = Halt()
    finished = Halt()

    initial: Node[Mission] = planner
    edges: tuple[Edge[Mission], ...] = (
        planner.to(reviewer, when=has_rejects_left),
        planner.to(executor),
        reviewer.to(planner, when=is_rejected),
        reviewer.to(finished, when=is_plan_done),
        reviewer.to(executor),
        executor.to(shell, when=has_command),
        executor.to(check_off),
        shell.to(memory),
        memory.to(solved, when=is_solved),
        memory.to(ended, when=is_over),
        memory.to(wrap_up, when=is_out_of_steps),
        memory.to(executor),
        wrap_up.to(check_off),
        check_off.to(reviewer, when=has_rejects_left),
        check_off.to(finished, when=is_plan_done),
        check_off.to(executor),
    )

    def brief(self, task: Task, observation: str, /) -> Mission:
        """The board with the task's question, or what the environment shows first where the task has none."""
        return Mission(query=task.query or observation, instructions=task.instructions)
