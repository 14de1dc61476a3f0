"""`aotel run`: the command is as without it, and the record is there."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runner.running import AOTEL, environment, python, run, started


def test_record_of_a_run(tmp_path: Path) -> None:
    ran = run(tmp_path, "--name", "greeting", "--", *python("print('hello')"))
    assert (ran.status, ran.stdout) == (0, b"hello\n")
    record = ran.record
    assert re.fullmatch(r"\d{8}T\d{6}Z-greeting", record.path.name)
    assert stat.S_IMODE(record.path.stat().st_mode) == 0o700
    assert (ran.runs / "latest").resolve() == record.path.resolve()
    assert sorted(path.name for path in record.path.iterdir() if path.suffix in {".json", ".jsonl"}) >= ["audit.jsonl"]
    info = record.info
    assert info["name"] == "greeting"
    assert info["state"] == "finished"
    assert info["command"] == list(python("print('hello')"))
    assert info["exit"] == {"code": 0, "status": 0}
    assert info["duration_ms"] > 0
    assert info["pod_id"] == record.path.name
    (start,) = [each for each in record.details("process_start") if each["source"] == "runner"]
    assert start["pid"] == info["pid"] == record.exit["pid"]
    assert record.exit["exit_code"] == 0
    assert "signal" not in record.exit
    assert ran.stderr.splitlines()[-1].startswith("aotel run: the record is in runs/")
    assert "aotel audit" in ran.stderr.splitlines()[-1]
    assert "aotel audit" in ran.stderr.splitlines()[-1]


@pytest.mark.parametrize("status", [0, 1, 3, 255])
def test_exit_status_is_the_commands(tmp_path: Path, status: int) -> None:
    ran = run(tmp_path, "--", "sh", "-c", f"exit {status}")
    assert ran.status == status
    assert ran.record.exit["exit_code"] == status
    assert ran.record.info["exit"]["status"] == status


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGHUP"])
def test_death_by_a_signal_is_128_and_its_number(tmp_path: Path, name: str) -> None:
    ran = run(tmp_path, "--", "sh", "-c", f"ulimit -c 0; kill -{name[3:]} $$")
    assert ran.status == 128 + signal.Signals[name]
    assert ran.record.exit["signal"] == name
    assert "reason" not in ran.record.exit


def test_double_dash_is_not_needed(tmp_path: Path) -> None:
    ran = run(tmp_path, sys.executable, "-c", "import sys; print(sys.argv)", "--view", "--", "-x")
    assert ran.stdout == b"['-c', '--view', '--', '-x']\n"


def test_standard_input_is_the_commands(tmp_path: Path) -> None:
    sent = os.urandom(300_000)
    ran = run(tmp_path, "--", "cat", stdin=sent)
    assert ran.stdout == sent


def test_streams_of_the_command_are_those_we_have(tmp_path: Path) -> None:
    files = [(tmp_path / name).open("w+b") for name in ("in", "out", "err")]
    try:
        code = (
            "import os; s = map(os.fstat, (0, 1, 2)); print(*[(x.st_dev, x.st_ino) for x in s], file=open('seen', 'w'))"
        )
        subprocess.run(
            [*AOTEL, "--view", "off", "--runs-dir", "runs", "--", *python(code)],
            stdin=files[0],
            stdout=files[1],
            stderr=files[2],
            cwd=tmp_path,
            env=environment(),
            check=True,
            timeout=30,
        )
        found = [os.fstat(file.fileno()) for file in files]
    finally:
        for file in files:
            file.close()
    seen = (tmp_path / "seen").read_text().strip()
    assert seen == " ".join(str((each.st_dev, each.st_ino)) for each in found)
    assert (tmp_path / "err").read_bytes() == b""


def test_other_descriptors_are_handed_on(tmp_path: Path) -> None:
    ran = subprocess.run(
        ["sh", "-c", 'exec 5>five; exec "$@"', "sh", *AOTEL, "--view", "off", "--", "sh", "-c", "echo there >&5"],
        cwd=tmp_path,
        env=environment(),
        check=False,
        timeout=30,
    )
    assert ran.returncode == 0
    assert (tmp_path / "five").read_text() == "there\n"


def test_flood_of_output_arrives_byte_for_byte(tmp_path: Path) -> None:
    size = 100 << 20
    code = (
        "import os, hashlib, sys\n"
        "block = os.urandom(1 << 20); digest = hashlib.sha256()\n"
        f"for _ in range({size >> 20}): sys.stdout.buffer.write(block); digest.update(block)\n"
        "print(digest.hexdigest(), file=open('digest', 'w'))"
    )
    digest, received = hashlib.sha256(), 0
    with started(tmp_path, "--", *python(code), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        while chunk := process.stdout.read(1 << 16):
            digest.update(chunk)
            received += len(chunk)
        status = process.wait(30)
    assert (status, received) == (0, size)
    assert digest.hexdigest() == (tmp_path / "digest").read_text().strip()


def test_view_that_nobody_reads_holds_nothing_up(tmp_path: Path) -> None:
    """Standard error is a pipe that is full: the command, which doesn't use it, ends as always."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with os.fdopen(writer, "wb", buffering=0) as full:
        while full.write(b"x" * 65536):
            pass
        os.set_blocking(writer, True)
        script = "echo done; exit 3"
        with started(tmp_path, "--", "sh", "-c", script, stdout=subprocess.PIPE, stderr=full) as process:
            assert process.stdout is not None
            assert process.stdout.read() == b"done\n"
            status = process.wait(30)
    os.close(reader)
    assert status == 3


def test_not_found_is_127(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", "no-such-command-anywhere")
    assert ran.status == 127
    assert ran.stderr == "aotel run: there is no command 'no-such-command-anywhere' in the directories of PATH\n"
    assert not ran.runs.exists()


def test_missing_file_is_127(tmp_path: Path) -> None:
    assert run(tmp_path, "--", "./nothing").status == 127


@pytest.mark.parametrize("what", ["file", "directory", "on the path"])
def test_not_executable_is_126(tmp_path: Path, what: str) -> None:
    target = tmp_path / "thing"
    if what == "directory":
        target.mkdir()
    else:
        target.write_text("data")
        target.chmod(0o644)
    command, env = ("thing", {"PATH": str(tmp_path)}) if what == "on the path" else ("./thing", None)
    ran = run(tmp_path, "--", command, env=env)
    assert ran.status == 126
    assert "thing" in ran.stderr
    assert not ran.runs.exists()


def test_script_whose_interpreter_is_missing_says_so(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    ran = run(tmp_path, "--", "./script")
    assert ran.status == 127
    assert "interpreter that its first line names is not there" in ran.stderr
    assert ran.record.info["state"] == "failed"


def test_script_without_a_first_line_is_the_shells(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("echo $0 $1; exit 4\n")
    script.chmod(0o755)
    ran = run(tmp_path, "--", "./script", "word")
    assert (ran.status, ran.stdout) == (4, b"./script word\n")


def test_runs_directory_that_cannot_be_made_is_said_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    ran = run(tmp_path, "--", "touch", "ran")
    assert ran.status == 1
    assert "can't be kept in" in ran.stderr
    assert "--runs-dir" in ran.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_full_disk_is_said_before_anything_runs(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this root doesn't mount")
    try:
        with (disk / "filling").open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        ran = run(tmp_path, "--runs-dir", disk / "runs", "--", "touch", "ran")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert ran.status == 1
    assert "No space left on device" in ran.stderr
    assert not (tmp_path / "ran").exists()


def test_working_directory_need_not_be_writable(tmp_path: Path) -> None:
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    cwd.chmod(0o555)
    code = "import os; assert os.getcwd().endswith('cwd'); print('fine')"
    done = subprocess.run(
        [*AOTEL, "--view", "simple", "--runs-dir", str(tmp_path / "runs"), "--", *python(code)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        check=False,
        timeout=30,
    )
    cwd.chmod(0o755)
    assert (done.returncode, done.stdout) == (0, b"fine\n")
    assert list(cwd.iterdir()) == []
    assert (tmp_path / "runs" / "latest" / "run.json").exists()


def test_runs_are_kept_from_the_repository(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", "true")
    assert (ran.runs / ".gitignore").read_text() == "*\n"


def test_runs_of_one_second_have_directories_of_their_own(tmp_path: Path) -> None:
    commands = [[*AOTEL, "--view", "off", "--runs-dir", "runs", "--name", "same", "--", "true"] for _ in range(3)]
    started = [subprocess.Popen(command, cwd=tmp_path, env=environment()) for command in commands]
    assert [process.wait(30) for process in started] == [0, 0, 0]
    assert len([path for path in (tmp_path / "runs").iterdir() if (path / "run.json").exists()]) == 4  # with `latest`


def test_secrets_of_a_command_line_are_not_kept(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", "true", "--token", "hunter2", "--api-key=hunter3hunter3", "https://me:hunter4@host/")
    for file in ("run.json", "audit.jsonl"):
        assert "hunter" not in (ran.record.path / file).read_text()
    assert "hunter" not in ran.stderr


def test_view_off_says_nothing(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", "sh", "-c", "echo out; echo err >&2", view="off")
    assert (ran.stdout, ran.stderr) == (b"out\n", "err\n")


def test_sockets_are_gone_afterwards(tmp_path: Path) -> None:
    ran = run(tmp_path, "--", "sh", "-c", 'test -S "$ENVPOD_SOCKET" && echo "$ENVPOD_SOCKET"')
    assert ran.status == 0
    assert not Path(ran.stdout.decode().strip()).exists()
    assert not [path for path in ran.record.path.rglob("*") if path.is_socket() or path.is_symlink()]
