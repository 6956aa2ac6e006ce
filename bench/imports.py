"""The time of `import tinysmith`, and that it touches neither litellm nor a socket nor an environment variable."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _measure import SHORT, bar

PROBE = """
import sys, time
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event.startswith("socket.") else None)
begin = time.perf_counter()
import {module}
spent = time.perf_counter() - begin
print(spent, "litellm" in sys.modules, len(seen))
"""


FLOOR = "asyncio, attrs, transitions.extensions.markup"
"""What a framework of this kind cannot do without."""


def probe(module: str) -> tuple[float, bool, int]:
    """Seconds of an import in a fresh process, whether litellm came with it, and socket events."""
    # With byte code, as every second start has it.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", PROBE.format(module=module)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    seconds, litellm, sockets = done.stdout.split()
    return float(seconds), litellm == "True", int(sockets)


def main() -> None:
    """Measures and prints."""
    modules = ("tinysmith", "machines", FLOOR)
    measured: dict[str, list[tuple[float, bool, int]]] = {module: [] for module in modules}
    probe("tinysmith")  # writes the byte code
    for _ in range(3 if SHORT else 9):
        for module in modules:
            measured[module].append(probe(module))
    for module, results in measured.items():
        print(f"import {module:60} {statistics.median(spent for spent, _, _ in results) * 1e3:7.1f} ms")
    for module in ("tinysmith", "machines"):
        assert not any(litellm or sockets for _, litellm, sockets in measured[module]), measured[module]
    print("neither litellm nor a socket was touched")
    bar("import tinysmith", statistics.median(spent for spent, _, _ in measured["tinysmith"]), 0.1, " s")


if __name__ == "__main__":
    main()
