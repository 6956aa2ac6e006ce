"""`tinysmith intercode`, as a user types it."""

import json
import re
import shlex
from pathlib import Path

import pytest
from checkouts import SOUTH, checkout, contents
from sandboxes import needs_sandbox

from tinysmith.cli import main


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    return checkout(tmp_path / "checkout")


@needs_sandbox
class TestImport:
    def test_makes_a_folder(self, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """What was made is told by set, with a command that takes it; errors of scripts are shown, escaped."""
        place = tmp_path / "its data"
        run = f"machines:TryAgain --env intercode-bash --data '{place}/bash' --task nl2bash_fs_1/0 --model human"
        assert main(["intercode", "import", str(source), "-o", str(place)]) == 0
        out, err = capsys.readouterr()
        assert out.splitlines() == [
            f"{place}: imported",
            "bash: 5 tasks",
            "  nl2bash_fs_1: 2 tasks, 4 files, folders and links",
            "  nl2bash_fs_2: 1 task, 2 files, folders and links",
            "  nl2bash_fs_3: 2 tasks, 1 file, folder or link",
            "  nl2bash_fs_4: 0 tasks, 0 files, folders and links",
            "python: 1 task",
            "ctf: 1 task",
            "sql: 1 task",
            f"Next: tinysmith run {run}",
        ]
        assert err == "nl2bash_fs_2: no \\x1b[31mrake\nnl2bash_fs_2: exit code 3\n"
        (tmp_path / "script").write_text(json.dumps([SOUTH]), encoding="utf-8")
        words = shlex.split(run.replace("human", f"scripted:{tmp_path}/script"))
        assert main(["run", *words, "--quiet"]) == 0
        assert "nl2bash_fs_1/0" in capsys.readouterr().out

    def test_is_kept_for_later(
        self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without a folder it goes to the cache, and is found there again; --force makes it anew."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        (source / "data/ctf/task_assets").mkdir()
        command = ["intercode", "import", str(source), "--progress"]
        assert main(command) == 0
        out, err = capsys.readouterr()
        place, told = out.splitlines()[0].split(": ")
        assert (Path(place).parent, told) == (tmp_path / "cache/tinysmith/intercode", "imported")
        assert f"ctf: 1 task; their files are in the checkout: --assets {source}/data/ctf/task_assets\n" in out
        lines = re.sub(r"\d+\.\d s", "T", err).splitlines()
        assert lines == [
            "nl2bash_fs_1: 4 entries, T",
            "nl2bash_fs_2: no \\x1b[31mrake",
            "nl2bash_fs_2: exit code 3",
            "nl2bash_fs_2: 2 entries, T",
            "nl2bash_fs_3: 1 entry, T",
            "nl2bash_fs_4: 0 entries, T",
        ]
        before = contents(Path(place))
        assert main(command) == 0
        again, err = capsys.readouterr()
        assert again == out.replace("imported", "was imported before, from the same files", 1)
        assert err == ""
        assert main([*command, "--force", "--sandbox", "bubblewrap"]) == 0
        assert capsys.readouterr().out == out
        assert contents(Path(place)) == before


class TestMisuse:
    @pytest.mark.parametrize(
        ("command", "said"),
        [
            ("{t}/none -o {t}/made", "none: there is no such folder; name a checkout of InterCode."),
            ("{t} -o {t}/made", "nl2bash_fs_1.json: there is no such file; name a whole checkout of InterCode."),
            ("{t}/checkout -o {t}", "something is there that is no import of InterCode; name another folder."),
            ("{t}/checkout -o {t} --force", "something is there that is no import of InterCode"),
            (
                "{t}/checkout -o {t}/checkout/setup/x",
                "nothing can be written in {t}/checkout/setup; name another folder.",
            ),
        ],
    )
    def test_is_told_in_one_line(
        self, command: str, said: str, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Misuse gives exit code 2 and one line that says what to do, and changes no file."""
        (source / "setup").touch()
        before = contents(tmp_path)
        assert main(["intercode", "import", *command.format(t=tmp_path).split()]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith("tinysmith: ")
        assert said.format(t=tmp_path) in err
        assert contents(tmp_path) == before

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            ("", "the following arguments are required: import"),
            ("import", "the following arguments are required: CHECKOUT"),
            ("import x --sandbox unsafe-local", "there is no 'unsafe-local'"),
        ],
    )
    def test_of_words(self, command: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A command line that is none gives its usage and exit code 2; no script ever runs without a sandbox."""
        with pytest.raises(SystemExit) as ended:
            main(["intercode", *command.split()])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err
