"""Ways around the quota of files that a review found: many short commands, reservations, files without a name."""

from sandboxes import as_root_and_as_user, living, sandbox, says, wait_until

from tinysmith.sandbox import SandboxLimits

MEBIBYTE = 1 << 20
SMALL = SandboxLimits(disk_bytes=4 * MEBIBYTE, wall_s=5.0)
_NAMELESS = """
import mmap, os, time
held = [mmap.mmap(-1, 4096)]
for number in range(13):
    with open(f"/tmp/{number}", "w+b") as file:
        file.write(b"x" * 1_000_000)
        file.flush()
        held.append(mmap.mmap(file.fileno(), 1_000_000))
    os.unlink(f"/tmp/{number}")
    if number:
        os.closerange(3, 256)  # in Python a mapping has a descriptor of its own
time.sleep(5)
"""
_RESERVING = """
import fcntl, struct
with open("/tmp/b", "wb") as file:
    for request in (0x40305828, 0x4030582A, 0x40305839):
        try:
            fcntl.ioctl(file, request, struct.pack("=hh4xqqiI16x", 0, 0, 0, 1 << 20, 0, 0))
        except OSError as error:
            print(error.errno, end=" ")
    print(__import__("os").fstat(file.fileno()).st_blocks, end="")
"""
_NAMED = """
import ctypes, time
ctypes.CDLL(None).prctl(15, b"\\x1cNSpid:\\t9\\t2", 0, 0, 0)
for number in range(300):
    with open(f"/tmp/{number}", "wb") as file:
        file.write(b"x" * 100_000)
    time.sleep(0.02)
time.sleep(600)
"""


class TestAround:
    @as_root_and_as_user
    def test_many_short_commands_are_as_one_that_is_long(self) -> None:
        """Commands that end before anybody looks at the disk are looked at together, in a session too."""
        with sandbox(limits=SMALL) as box:
            for number in range(40):
                box.exec(f"head -c 1M /dev/zero > /tmp/{number}")
            assert int(says(box, "du -s -B 1M /tmp").split()[0]) <= 12
            box.exec("rm /tmp/*")
            with box.open_session() as session:
                for number in range(60):
                    session.run(f"printf '%1000000s' x > /tmp/{number}")
                assert int(says(box, "du -s -B 1M /tmp").split()[0]) <= 30

    @as_root_and_as_user
    def test_disk_is_not_reserved(self) -> None:
        """A file cannot be given its blocks without being written."""
        with sandbox(limits=SMALL) as box:
            assert "not supported" in says(box, "fallocate -l 1M /tmp/a")
            assert box.exec("fallocate -l 1M /tmp/a").exit_code == 1
            done = box.exec(["/usr/bin/python3", "-c", _RESERVING])
            assert (done.text, done.exit_code) == ("95 95 95 0", 0), done.error_text

    @as_root_and_as_user
    def test_no_name_hides_a_job_between_commands(self) -> None:
        """A job that is over the quota is ended between commands, whatever it calls itself."""
        with sandbox({"/job.py": _NAMED}, limits=SMALL) as box, box.open_session() as session:
            session.run(":")
            before = len(living())
            session.run("python3 /job.py & :")
            assert wait_until(lambda: len(living()) == before)
            assert int(says(box, "du -s -B 1M /tmp").split()[0]) <= 12

    @as_root_and_as_user
    def test_what_is_mapped_alone_counts(self) -> None:
        """A file that has no name, and is not open but mapped, counts."""
        with sandbox({"/held.py": _NAMELESS}, limits=SMALL) as box:
            done = box.exec(["/usr/bin/python3", "/held.py"])
            assert done.ended_by == "disk_bytes", done.error_text

    @as_root_and_as_user
    def test_each_name_of_a_file_is_a_file(self) -> None:
        """Hard links are as many files as they are names: whoever makes them is stopped as for others."""
        many = "import os, time\nfor n in range(500): os.link('/a', f'/tmp/{n}')\ntime.sleep(5)"
        with sandbox({"/a": "x"}, limits=SandboxLimits(files=100)) as box:
            assert box.exec(["/usr/bin/python3", "-c", many]).ended_by == "files"

    @as_root_and_as_user
    def test_semaphores_take_no_memory(self) -> None:
        """System V's semaphores, which no limit counts, are refused."""
        with sandbox(limits=SMALL) as box:
            ask = "import ctypes; print(ctypes.CDLL(None).semget(0, 32000, 0o600))"
            assert says(box, ["/usr/bin/python3", "-c", ask]) == "-1"

    @as_root_and_as_user
    def test_a_copy_of_too_much_is_too_full(self) -> None:
        """A fork of files that are over their limits cannot be written to, either, before some are gone."""
        with sandbox(limits=SMALL) as box:
            box.exec("head -c 7M /dev/zero > /tmp/full; sleep 4")
            with box.fork() as other:
                assert other.exec("echo x > /tmp/more").exit_code == 1
                assert other.exec("rm /tmp/full /tmp/more; sleep 0.05; echo on").text == "on\n"
                assert other.exec("echo x > /tmp/more").exit_code == 0

    @as_root_and_as_user
    def test_a_closed_root_is_opened_again(self) -> None:
        """A command that closes the root to all cannot end its sandbox by that."""
        with sandbox({"/a/b": "x"}) as box:
            box.exec("chmod 0 /")
            assert says(box, "cat /a/b") == "x"
            with box.open_session() as session:
                session.run("chmod 0 /; exit")
                assert session.run("cat /a/b").text == "x"

    @as_root_and_as_user
    def test_a_session_begins_where_it_can(self) -> None:
        """Where the spec's folder is gone, a new shell begins in the root."""
        with sandbox({"/work/a": "x"}, cwd="/work") as box, box.open_session() as session:
            assert session.run("pwd").text == "/work\n"
            assert session.run("cd /; rm -rf /work; exit 3").is_session_new
            assert session.run("pwd").text == "/\n"

    @as_root_and_as_user
    def test_what_is_full_fills_no_more_by_a_session(self) -> None:
        """While too much is there, a session's shell cannot write; where there is room again, it can."""
        with sandbox(limits=SMALL) as box, box.open_session() as session:
            assert session.run("head -c 6M /dev/zero > /tmp/full; sleep 4").is_session_new
            assert session.run("echo x > /tmp/more").exit_code == 1
            assert session.run("ulimit -f 100; echo x > /tmp/more").exit_code == 1
            assert session.run("word=lost; rm /tmp/full").is_session_new
            assert session.run("echo on$word > /tmp/more; cat /tmp/more").text == "on\n"
