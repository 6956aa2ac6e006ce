"""`tinysmith gc`: old runs are deleted, and the space is given back."""

import argparse
from pathlib import Path

from tinysmith.cli._journal import opened


def gc_command(arguments: argparse.Namespace) -> int:
    """Deletes the runs, or tells which would be."""
    before = _size(arguments.journal)
    with opened(arguments.journal, read_only=arguments.dry_run) as journal:
        if arguments.dry_run:
            old = journal.older(arguments.older_than)
        else:
            old = journal.delete_older(arguments.older_than)
    after = _size(arguments.journal)
    for run_id in old:
        print(run_id)
    count = f"{len(old)} run{'s' * (len(old) != 1)}"
    if arguments.dry_run:
        print(f"{count} would be deleted")
    else:
        print(f"{count} deleted" + (f", {max(0, before - after):,} bytes given back" if before else ""))
    return 0


def _size(path: str) -> int:
    """Of the file, and of the log that SQLite keeps beside it while it is open; 0 of a server's."""
    files = (Path(path), Path(f"{path}-wal"))
    return sum(file.stat().st_size for file in files if file.is_file())
