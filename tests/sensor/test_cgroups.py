from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aotel.sensor.cgroups import MOUNT, Cgroup, OomWatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tree = Callable[..., Cgroup]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Makes the files that the kernel would show, and returns what is read from them for process 7."""

    def make(groups: str, files: dict[str, str]) -> Cgroup:
        (tmp_path / "proc" / "7").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc" / "7" / "cgroup").write_text(groups)
        (tmp_path / "cgroup").mkdir(exist_ok=True)
        for name, text in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Cgroup(7, root=tmp_path / "cgroup", proc=tmp_path / "proc")

    return make


V2 = {
    "cgroup.procs": "",
    "cgroup.controllers": "cpu memory\n",
    "user/cgroup.procs": "",
    "user/memory.max": "1073741824\n",
    "user/cpu.max": "150000 100000\n",
    "user/run/cgroup.procs": "",
    "user/run/memory.max": "max\n",
    "user/run/cpu.max": "max 100000\n",
    "user/run/memory.events": "low 0\nhigh 3\nmax 4\noom 2\noom_kill 1\noom_group_kill 0\n",
}


def test_version_2_is_limited_by_every_group_above(tree: Tree) -> None:
    found = tree("0::/user/run\n", V2)
    assert (found.memory_limit(), found.cpu_limit(), found.oom_kills()) == (1 << 30, 1.5, 1)


def test_version_1_has_a_hierarchy_for_each_controller(tree: Tree) -> None:
    found = tree(
        "9:name=systemd:/\n4:memory:/a/b\n2:cpu,cpuacct:/c\n0::/\n",
        {
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "memory/a/memory.limit_in_bytes": "9223372036854771712\n",
            "memory/a/b/memory.limit_in_bytes": "268435456\n",
            "memory/a/b/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n",
            "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "cpu,cpuacct/c/cpu.cfs_quota_us": "50000\n",
            "cpu,cpuacct/c/cpu.cfs_period_us": "100000\n",
        },
    )
    assert (found.memory_limit(), found.cpu_limit(), found.oom_kills()) == (256 << 20, 0.5, 5)


def test_both_versions_side_by_side(tree: Tree) -> None:
    found = tree(
        "4:memory:/m\n0::/u\n",
        {
            "unified/cgroup.procs": "",
            "unified/u/cpu.max": "200000 100000\n",
            "memory/m/memory.limit_in_bytes": "1000000\n",
        },
    )
    assert (found.memory_limit(), found.cpu_limit()) == (1000000, 2.0)


@pytest.mark.parametrize("path", ["/docker/0123", "/../../elsewhere", "/"])
def test_in_a_container_the_group_is_what_is_mounted(tree: Tree, path: str) -> None:
    files = {"cgroup.procs": "", "memory.max": "4096\n", "cpu.max": "100000 100000\n", "memory.events": "oom_kill 2\n"}
    found = tree(f"0::{path}\n", files)
    assert (found.memory_limit(), found.cpu_limit(), found.oom_kills()) == (4096, 1.0, 2)


def test_no_limit_and_no_count_are_none(tree: Tree) -> None:
    unlimited = tree("0::/\n", {"cgroup.procs": "", "memory.max": "max\n", "cpu.max": "max 100000\n"})
    assert (unlimited.memory_limit(), unlimited.cpu_limit(), unlimited.oom_kills()) == (None, None, None)
    assert OomWatch(unlimited).kills() is None


def test_where_there_are_no_groups_nothing_is_known(tmp_path: Path) -> None:
    found = Cgroup(7, root=tmp_path / "none", proc=tmp_path)
    assert (found.memory_limit(), found.cpu_limit(), found.oom_kills()) == (None, None, None)


@given(st.text(max_size=60), st.text(max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_files_of_any_content_are_read_without_an_error(tree: Tree, groups: str, text: str) -> None:
    files = dict.fromkeys(("memory.max", "cpu.max", "memory.events", "memory/memory.limit_in_bytes"), text)
    found = tree(f"0::/\n4:memory:/\n{groups}".encode(errors="replace").decode(), {"cgroup.procs": "", **files})
    found.memory_limit(), found.cpu_limit(), found.oom_kills()


def test_a_kill_for_want_of_memory_is_told_from_what_was_before(tree: Tree, tmp_path: Path) -> None:
    watch = OomWatch(tree("0::/user/run\n", V2))
    assert watch.kills() == 0
    (tmp_path / "cgroup" / "user" / "run" / "memory.events").write_text("oom 9\noom_kill 3\n")
    assert watch.kills() == 2
    (tmp_path / "cgroup" / "user" / "run" / "memory.events").unlink()
    assert watch.kills() is None


@pytest.mark.skipif(sys.platform != "linux" or not MOUNT.exists(), reason="this machine has no control groups")
def test_what_this_machine_says_makes_sense() -> None:
    found = Cgroup(os.getpid())
    limit, cores, kills = found.memory_limit(), found.cpu_limit(), found.oom_kills()
    assert limit is None or limit > 1 << 20
    assert cores is None or cores > 0
    assert kills is None or kills >= 0
    assert OomWatch(found).kills() in {None, 0}
