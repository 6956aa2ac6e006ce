"""Many runs in one event loop: 10 asks of 100 ms each, every step kept, a real time limit on every run.

1.0 s is ideal. Each size is measured in a process of its own, so that its peak of memory is its own.
"""

import asyncio
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _machines import Count, Echo, Review
from _measure import SHORT, bar

from tinysmith import Ask, Limits, Reply, arun

ASKS = 10
BARS = {1_000: (1.2, None), 10_000: (3.5, 120)}


class Slow(Echo):
    """A model that takes 100 ms."""

    async def aask(self, request: Ask, /) -> Reply:
        await asyncio.sleep(0.1)
        return Reply("ok", usage=self.reply.usage, model="slow")


async def all_runs(count: int) -> float:
    """Seconds for this many runs at once."""
    strategy, model, limits = Review(), Slow(), Limits(max_asks=ASKS, max_seconds=60)
    begin = time.perf_counter()
    runs = await asyncio.gather(*(arun(strategy, Count(), model=model, limits=limits) for _ in range(count)))
    spent = time.perf_counter() - begin
    assert all(len(run.steps) == ASKS and run.outcome == "max_asks" for run in runs)
    return spent


def one(count: int) -> None:
    """Measures one size in this process, and prints seconds and the peak of memory in MB."""
    spent = asyncio.run(all_runs(count))
    print(spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Measures every size in processes of their own, and prints."""
    for count, (most_s, most_mb) in BARS.items():
        results = []
        for _ in range(1 if SHORT else 3):
            command = [sys.executable, __file__, "--one", str(count)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            results.append(tuple(map(float, done.stdout.split())))
        seconds = statistics.median(spent for spent, _ in results)
        megabytes = statistics.median(peak for _, peak in results)
        rate = count * ASKS / seconds
        print(f"{count:>6} runs: {seconds:.2f} s, peak {megabytes:.0f} MB, {rate:,.0f} steps a second")
        bar(f"{count} runs", seconds, most_s, " s")
        if most_mb is not None:
            bar(f"{count} runs, memory", megabytes, most_mb, " MB")


if __name__ == "__main__":
    if "--one" in sys.argv:
        one(int(sys.argv[-1]))
    else:
        main()
