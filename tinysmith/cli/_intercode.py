"""`tinysmith intercode import`: InterCode's data, from a checkout of it."""

import argparse
import shlex
import sys
from pathlib import Path

from tinysmith._shown import escaped
from tinysmith.environments._intercode_import import (
    ASSETS,
    FILE_SYSTEMS,
    FileSystem,
    Imported,
    import_intercode,
)

_RUN = "machines:TryAgain --env intercode-bash"


def intercode_command(arguments: argparse.Namespace) -> int:
    """Imports the data, and returns the exit code."""

    def tell(built: FileSystem) -> None:
        for line in built.warnings:
            print(f"{built.name}: {escaped(line)}", file=sys.stderr)
        if arguments.progress:
            count = _counted(built.entries, "entry", "entries")
            print(f"{built.name}: {count}, {built.duration_s:.1f} s", file=sys.stderr, flush=True)

    imported = import_intercode(
        Path(arguments.checkout),
        None if arguments.output is None else Path(arguments.output),
        backend=arguments.sandbox,
        replaces=arguments.force,
        on_built=tell,
    )
    print(_summary(imported, Path(arguments.checkout)))
    return 0


def _summary(imported: Imported, checkout: Path) -> str:
    place = escaped(str(imported.place))
    data = escaped(shlex.quote(str(imported.place / "bash")))
    return "\n".join(
        (
            f"{place}: {'imported' if imported.is_new else 'was imported before, from the same files'}",
            f"bash: {_counted(sum(imported.tasks[name] for name in FILE_SYSTEMS), 'task')}",
            *(f"  {name}: {_of(imported, name)}" for name in FILE_SYSTEMS),
            f"python: {_counted(imported.tasks['ic_mbpp'], 'task')}",
            f"ctf: {_counted(imported.tasks['ic_ctf'], 'task')}{_assets(checkout / ASSETS)}",
            f"sql: {_counted(imported.tasks['ic_spider_dev'], 'task')}",
            f"Next: tinysmith run {_RUN} --data {data} --task {FILE_SYSTEMS[0]}/0 --model human",
        )
    )


def _of(imported: Imported, name: str) -> str:
    entries = _counted(imported.entries[name], "file, folder or link", "files, folders and links")
    return f"{_counted(imported.tasks[name], 'task')}, {entries}"


def _assets(folder: Path) -> str:
    return f"; their files are in the checkout: --assets {escaped(shlex.quote(str(folder)))}" * folder.is_dir()


def _counted(number: int, thing: str, things: str = "") -> str:
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"
