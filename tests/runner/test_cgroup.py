"""The child's own cgroup: made where it may be, and nothing is left where it may not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aotel.runner.cgroup import Cgroup, own_group

MOUNT = "36 32 0:30 {root} {point} rw,nosuid - cgroup2 cgroup2 rw\n"
OTHERS = "22 1 0:20 / /proc rw - proc proc rw\n30 32 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"


@pytest.mark.parametrize(
    ("root", "inside", "expected"),
    [
        ("/", "/user.slice/a.scope", "/cg/user.slice/a.scope"),
        ("/", "/", "/cg"),
        ("/docker/x", "/docker/x/sub", "/cg/sub"),
    ],
)
def test_own_group_is_found(tmp_path: Path, root: str, inside: str, expected: str) -> None:
    (tmp_path / "mounts").write_text(OTHERS + MOUNT.format(root=root, point="/cg"))
    (tmp_path / "own").write_text(f"4:memory:/x\n0::{inside}\n")
    assert own_group(tmp_path / "mounts", tmp_path / "own") == Path(expected)


@pytest.mark.parametrize(
    ("mounts", "own"),
    [
        (OTHERS, "0::/x\n"),
        (MOUNT.format(root="/", point="/cg"), "4:memory:/x\n"),
        (MOUNT.format(root="/", point="/cg"), "0::/../elsewhere\n"),
        (MOUNT.format(root="/docker/x", point="/cg"), "0::/other\n"),
        ("nonsense", "0::/\n"),
        ("", ""),
    ],
)
def test_no_group_is_none(tmp_path: Path, mounts: str, own: str) -> None:
    (tmp_path / "mounts").write_text(mounts)
    (tmp_path / "own").write_text(own)
    assert own_group(tmp_path / "mounts", tmp_path / "own") is None
    assert own_group(tmp_path / "missing", tmp_path / "missing") is None


def test_real_group_limits_or_leaves_nothing_behind() -> None:
    home = own_group()
    before = [] if home is None else sorted(home.iterdir())
    group = Cgroup.make(256 << 20)
    if group is not None:
        with subprocess.Popen(["sleep", "30"]) as process:
            assert group.add(process.pid)
            assert (group.path / "memory.max").read_text().strip() == str(256 << 20)
            assert str(process.pid) in (group.path / "cgroup.procs").read_text().split()
            group.kill()
            assert process.wait(5) == -9
        group.close()
        assert not group.path.exists()
    assert before == ([] if home is None else sorted(home.iterdir()))
