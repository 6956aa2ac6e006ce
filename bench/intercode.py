"""InterCode-Bash in our sandboxes: right commands against themselves, and recorded episodes played again.

Reads the folder that INTERCODE_DATA names. `--short` takes every tenth task.
"""

import asyncio
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from _measure import SHORT, bar

from tinysmith.environments.bash import BashEnvironment
from tinysmith.protocols import Task

EVERY = 10 if SHORT else 1
TRIES = 3  # some show a clock, or how full the host's disk is, and it moves on between one run and the other
LEAST_GOLD = 197 / 200
LEAST_RECORDED = 110 / 120
# What InterCode's image has beside a bare system; where one is missing, its tasks tell errors on both sides.
PROGRAMS = ("cal", "convert", "cpio", "crontab", "curl", "dig", "git", "jq", "netstat", "ping", "pstree", "tree")
SETS = ("nl2bash_fs_1", "nl2bash_fs_2", "nl2bash_fs_3", "nl2bash_fs_4")
RECORDED = ("bash-gpt-4-try-again-fs_1.jsonl", "bash-gpt-4-try-again-fs_3.jsonl")


def lines(path: Path) -> list[dict[str, Any]]:
    """The episodes of a recording."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def best(environment: BashEnvironment, task_id: str, actions: list[str]) -> list[float]:
    """The score after each action, until one solves the task."""
    scores: list[float] = []
    await environment.reset(task=Task(task_id))
    for action in actions:
        await environment.step(action)
        grade = await environment.grade()
        scores.append(grade.score)
        if grade.solved:
            break
    return scores


async def golds(environment: BashEnvironment, folder: Path) -> bool:
    """Each right command as the only action, against itself in the other sandbox."""
    first = solved = count = 0
    for name in SETS:
        for index, row in enumerate(json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))):
            if index % EVERY:
                continue
            tries: list[float] = []
            while 1.0 not in tries and len(tries) < TRIES:
                tries += await best(environment, f"{name}/{index}", [row["gold"]])
            count += 1
            first += tries[0] == 1.0
            solved += tries[-1] == 1.0
            if tries[0] != 1.0:
                print(f"       {name}/{index}: {tries}", flush=True)
    print(f"right commands that earn 1 against themselves: {solved} of {count}, at the first try {first}")
    return bar("of all", solved / count, LEAST_GOLD, at_least=True)


async def recorded(environment: BashEnvironment, folder: Path) -> bool:
    """GPT-4's recorded actions: whether each episode is solved here as it was there."""
    same = count = turns = alike = 0
    for name in RECORDED:
        for episode in lines(folder / name)[::EVERY]:
            task_id = f"{episode['set']}/{episode['task_id']}"
            scores = await best(environment, task_id, episode["actions"])
            there, here = max(episode["rewards"]) == 1.0, scores[-1] == 1.0
            count += 1
            same += there == here
            turns += len(episode["rewards"])
            alike += sum(round(a, 2) == round(b, 2) for a, b in zip(scores, episode["rewards"], strict=False))
            if there != here:
                print(f"       {task_id}: recorded {episode['rewards']}, here {scores}", flush=True)
    print(
        f"recorded episodes with the recorded verdict: {same} of {count}; equal rewards: {alike} of {turns} turns"
    )
    return bar("of all", same / count, LEAST_RECORDED, at_least=True)


async def measure(folder: Path) -> bool:
    """Both, one after the other."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=os.defpath) is None]
    print(f"programs of InterCode's image that are missing here: {', '.join(missing) or 'none'}")
    environment = BashEnvironment(folder / "bash")
    begin = time.perf_counter()
    try:
        met = [await golds(environment, folder / "bash"), await recorded(environment, folder / "recorded")]
    finally:
        await environment.close()
    print(f"{time.perf_counter() - begin:.0f} s")
    return all(met)


def main() -> int:
    """0 where all bars are met."""
    folder = os.environ.get("INTERCODE_DATA", "")
    if not folder:
        print("INTERCODE_DATA names no folder with InterCode's data, so there is nothing to measure.")
        return 0
    return 0 if asyncio.run(measure(Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
