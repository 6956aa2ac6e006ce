"""Our environments as gymnasium's, and there and back again."""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from blocking import Clerk
from ctrl_c import until_it_waits
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sandboxes import needs_sandbox
from worlds import Broken, Echo, Stuck

pytest.importorskip("gymnasium", reason="gymnasium is not installed")

import gymnasium
from gymnasium.utils.env_checker import check_env

from tinysmith import EnvironmentStep, Task
from tinysmith.environments import ShellEnvironment, ShellTask, SqlEnvironment
from tinysmith.environments._as_gymnasium import CHARSET, _Loop
from tinysmith.environments._plain import told
from tinysmith.environments.gymnasium import from_gymnasium, to_gymnasium
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.sandbox import Tree

NAMES = ("FrozenLake-v1", "Blackjack-v1", "CartPole-v1", "MountainCar-v0")


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "tinysmith-gymnasium"]


@cache
def there_and_back(name: str) -> tuple[gymnasium.Env[Any, Any], gymnasium.Env[str, str]]:
    """An environment, and another one of the kind after it went through both adapters."""
    return gymnasium.make(name), to_gymnasium(from_gymnasium(gymnasium.make(name)))


class Speaks(Echo):
    """An environment that shows a text, with tasks of its own."""

    def __init__(self, text: str = "", *, ids: Sequence[str] = ("a", "b", "c")) -> None:
        super().__init__(text)
        self.tasks = {each: Task(each) for each in ids}


class Interrupts(Stuck):
    """An environment during whose step somebody presses Ctrl-C."""

    async def step(self, action: str) -> EnvironmentStep:
        until_it_waits(os.getpid())
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return await super().step(action)


class Begins(Stuck):
    """An environment that tells when its step, which never ends, has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.began = threading.Event()

    async def step(self, action: str) -> EnvironmentStep:
        self.began.set()
        return await super().step(action)


class TestThereAndBack:
    @pytest.mark.parametrize("name", NAMES)
    @settings(max_examples=25)
    @given(st.integers(0, 2**31 - 1), st.lists(st.integers(0, 3), max_size=12))
    @example(1, [1, 1, 2, 2, 1, 2])
    def test_the_same(self, name: str, seed: int, actions: list[int]) -> None:
        """For the same seed and actions, rewards, ends and observations are those of the environment itself."""
        direct, through = there_and_back(name)
        shown, _ = direct.reset(seed=seed)
        assert through.reset(seed=seed)[0] == told(shown)
        for action in actions:
            if action not in direct.action_space:
                continue
            shown, reward, terminated, truncated, _ = direct.step(action)
            assert through.step(str(action))[:4] == (told(shown), float(reward), terminated, truncated)
            if terminated or truncated:
                break

    def test_it_passes_their_checks(self) -> None:
        """The checker of gymnasium passes on it."""
        env = to_gymnasium(from_gymnasium(lambda: gymnasium.make("FrozenLake-v1")))
        with pytest.warns(UserWarning, match="alternative render modes"):
            check_env(env)
        env.close()


class TestOurs:
    def test_it_passes_their_checks(self) -> None:
        """The checker of gymnasium passes on an environment of ours, whose actions it draws by chance."""
        env = to_gymnasium(SqlEnvironment.demo(), max_length=500)
        with pytest.warns(UserWarning, match="alternative render modes"):
            check_env(env)
        env.close()

    @needs_sandbox
    def test_a_shell_passes_their_checks(self) -> None:
        """The checker of gymnasium passes on tasks in a shell: how long a command took is not told."""
        shell = ShellEnvironment(
            [ShellTask(each, "Do it.", Tree.of({"/a": each}), check="test -e b") for each in "xy"]
        )
        env = to_gymnasium(shell, max_length=500)
        with pytest.warns(UserWarning, match="alternative render modes"):
            check_env(env)
        env.reset(options={"task_id": "x"})
        shown, _, _, _, info = env.step("cat /a; touch b")
        assert (shown, "exit_code" in info, "duration_s" in info) == ("x", True, False)
        assert env.step("submit")[1:3] == (1.0, True)
        env.close()

    def test_a_task(self) -> None:
        """A task of the demonstration is solved through gymnasium, with the environment's reward and info."""
        sql = SqlEnvironment.demo()
        with to_gymnasium(sql) as env:
            question, info = env.reset(options={"task_id": "count-boats"})
            assert (question, info["task_id"]) == (sql.tasks["count-boats"].query, "count-boats")
            seen, reward, terminated, truncated, info = env.step("SELECT COUNT(*) FROM boats")
            assert (reward, terminated, truncated, info["action_executed"]) == (0.0, False, False, True)
            assert (seen in env.observation_space, seen[:2]) == (True, "[(")
            assert env.step("submit")[1:4] == (1.0, True, False)

    def test_seeds(self) -> None:
        """One seed makes all the episodes after it the same again; other seeds choose other tasks."""

        def tasks(seed: int) -> list[tuple[str, int | None]]:
            world = Speaks()
            with to_gymnasium(world) as env:
                env.reset(seed=seed)
                for _ in range(5):
                    env.reset()
            return [("" if task is None else task.id, drawn) for task, drawn in world.resets]

        assert tasks(3) == tasks(3)
        assert tasks(3)[0][1] == 3
        assert len({tasks(seed)[0][0] for seed in range(20)}) == 3
        assert len(set(tasks(3)[1:])) > 1

    def test_chosen_tasks(self) -> None:
        """By chance only the named tasks come; by its id any task does."""
        world = Speaks()
        with to_gymnasium(world, task_ids=["b"]) as env:
            for seed in range(5):
                env.reset(seed=seed)
            env.reset(options={"task_id": "c"})
        assert [task and task.id for task, _ in world.resets] == ["b"] * 5 + ["c"]

    def test_without_tasks(self) -> None:
        """An environment without tasks is reset with a seed alone."""
        world = Echo("hello")
        with to_gymnasium(world) as env:
            assert env.reset(seed=1, options={}) == ("hello", {})
        assert world.resets == [(None, 1)]

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"task_id": "d"}, "There is no task 'd' among these 3. "),
            ({"task": "a"}, "There is no option 'task' of a reset; the one there is is task_id."),
            (["a"], r"The options of a reset are \['a'\]; give a dict, which may have a task_id."),
        ],
    )
    def test_wrong_options(self, options: Any, said: str) -> None:
        """A task or an option that is not there is told, and no episode begins."""
        world = Speaks()
        with to_gymnasium(world) as env, pytest.raises(UsageError, match=said):
            env.reset(options=options)
        assert world.resets == []

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"task_ids": ["a", "d"]}, "no task 'd' among these 3"),
            ({"task_ids": []}, "task_ids is empty"),
            ({"task_ids": "a"}, "task_ids is 'a'; give a list of ids"),
            ({"max_length": 0}, "max_length is 0; give a whole number above 0"),
            ({"max_length": 1.5}, "max_length is 1.5; give a whole number above 0"),
        ],
    )
    def test_wrong_arguments(self, options: dict[str, Any], said: str) -> None:
        """What cannot be meant is refused before anything runs."""
        with pytest.raises(UsageError, match=said):
            to_gymnasium(Speaks(), **options)

    @pytest.mark.parametrize("wrong", [None, "demo", Speaks, Clerk()])
    def test_what_is_no_environment(self, wrong: Any) -> None:
        """A class, a blocking environment, and what is none at all are refused at once."""
        with pytest.raises(UsageError, match=r"^to_gymnasium: .* is no environment with `async def reset`\. Give"):
            to_gymnasium(wrong)


class TestTexts:
    @given(st.text(max_size=30), st.integers(1, 20))
    @example("tab\tline\nend\x1b\u202e—é", 20)
    @settings(max_examples=30)
    def test_shown(self, text: str, max_length: int) -> None:
        """Whatever is seen is in the space, the same where it can be; else `info` has the whole text."""
        with to_gymnasium(Echo(text), max_length=max_length) as env:
            shown, info = env.reset()
            assert shown in env.observation_space
            assert shown == "".join(each if each in CHARSET else "�" for each in text[:max_length])
            assert info == ({} if shown == text else {"text": text})

    def test_charset(self) -> None:
        """The characters are tab, line break, what can be printed of ASCII and Latin-1, and the replacement."""
        assert len(set(CHARSET)) == len(CHARSET) == 2 + 95 + 94 + 1
        assert "\x1b" not in CHARSET
        assert "\u00ad" not in CHARSET

    def test_actions_go_as_they_are(self) -> None:
        """An action is not changed, whatever its characters and its length; what is no text is refused."""
        world = Echo()
        with to_gymnasium(world, max_length=3) as env:
            env.reset()
            seen = env.step("écho → 1")
            assert seen == ("did", 0.25, False, False, {"at": [1], "text": "did écho → 1"})
            with pytest.raises(UsageError, match="An action is a text here, and this is a int: 3"):
                env.step(3)  # type: ignore[arg-type]  # on purpose
        assert world.actions == ["écho → 1"]


class TestLoop:
    def test_inside_of_a_loop(self) -> None:
        """It works where an event loop is running, as in a notebook."""

        async def notebook() -> str:
            env = to_gymnasium(Echo("hello"))
            env.reset()
            seen = env.step("a")[0]
            env.close()
            return seen

        assert asyncio.run(notebook()) == "did a"

    def test_closing(self) -> None:
        """Closing ends the thread, and twice is as good as once; it may be reset again."""
        env = to_gymnasium(Echo("hello"))
        env.close()
        with pytest.raises(UsageError, match="There is no episode; reset"):
            env.step("a")
        env.reset()
        (thread,) = threads()[-1:]
        env.close()
        env.close()
        assert not thread.is_alive()
        assert env.reset()[0] == "hello"
        env.close()

    def test_garbage(self) -> None:
        """Where nobody closes it, its thread ends with it."""
        env = to_gymnasium(Echo())
        env.reset()
        (thread,) = threads()[-1:]
        del env
        gc.collect()
        thread.join(30)
        assert not thread.is_alive()

    def test_errors(self) -> None:
        """What the environment raises is raised; closing ends the thread all the same."""
        env = to_gymnasium(Broken(EnvironmentLost("gone"), "step"))
        env.reset()
        with pytest.raises(EnvironmentLost, match="gone"):
            env.step("a")
        env.close()
        shut = to_gymnasium(ShutsBadly())
        shut.reset()
        (thread,) = threads()[-1:]
        with pytest.raises(OSError, match="busy"):
            shut.close()
        thread.join(30)
        assert not thread.is_alive()

    def test_closed_meanwhile(self) -> None:
        """Closing during a step, from another thread, ends that as lost; afterwards it may be reset again."""
        world = Begins()
        env = to_gymnasium(world)
        env.reset()

        def close() -> None:
            world.began.wait(30)
            env.close()

        closing = threading.Thread(target=close)
        closing.start()
        with pytest.raises(EnvironmentLost, match=r"environment was closed while it did something.*; reset it"):
            env.step("a")
        closing.join(30)
        assert world.cancelled == 1
        assert env.reset()[0] == ""
        env.close()

    def test_closed_before(self) -> None:
        """What is begun after the loop was told to end is lost, too, and is not waited for."""
        loop = _Loop()
        loop.stop()
        loop.join()
        with pytest.raises(EnvironmentLost, match="the environment was closed while it did something"):
            loop.do(Echo().step("a"))

    @pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
    def test_interrupted(self) -> None:
        """Ctrl-C while it is waited for cancels the step."""
        world = Interrupts()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
        with to_gymnasium(world) as env:
            env.reset()
            with pytest.raises(KeyboardInterrupt):
                env.step("a")
        signal.signal(signal.SIGINT, before)
        assert world.cancelled == 1


class ShutsBadly(Echo):
    """An environment that cannot be closed."""

    async def close(self) -> None:
        raise OSError("busy")
