"""`--with`: packages for one run alone, by the child's own Python; if that fails, nothing is run."""

from __future__ import annotations

import os
import shutil
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.runner.running import python, run

NAME = "aotel_overlay_probe"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that is nowhere else: a module, and a script."""
    path = tmp_path_factory.mktemp("wheel") / f"{NAME}-1.0-py3-none-any.whl"
    info = f"{NAME}-1.0.dist-info"
    files = {
        f"{NAME}.py": "VALUE = 42\ndef main(): print('the script ran', VALUE)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\naotel-probe = {NAME}:main\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return path


def without(*names: str) -> dict[str, str]:
    """Return a `PATH` on which some programs are not."""
    parts = os.environ["PATH"].split(os.pathsep)
    return {"PATH": os.pathsep.join(part for part in parts if not any(Path(part, name).exists() for name in names))}


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_package_is_there_for_this_run_alone(tmp_path: Path, wheel: Path, installer: str) -> None:
    env = without("uv")
    if installer == "uv":
        uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
        if uv is None:
            pytest.skip("no uv on this machine")
        env["PATH"] += os.pathsep + str(Path(uv).parent)
    code = f"import {NAME}, os, pathlib; print({NAME}.VALUE, pathlib.Path({NAME}.__file__).parent)"
    ran = run(tmp_path, "--with", wheel, "--view", "simple", "--", *python(code), env=env)
    assert ran.status == 0, ran.stderr
    value, directory = ran.stdout.decode().split()
    assert (value, directory) == ("42", str(ran.record.path / "overlay"))
    assert not Path(directory).exists()
    states = [detail["state"] for detail in ran.record.details("install")]
    assert (states[0], states[-1]) == ("started", "done")
    assert all(detail["packages"] == [str(wheel)] for detail in ran.record.details("install"))
    assert "installed" in ran.stderr


def test_command_may_come_with_the_package(tmp_path: Path, wheel: Path) -> None:
    ran = run(tmp_path, "--with", wheel, "--", "aotel-probe")
    assert (ran.status, ran.stdout) == (0, b"the script ran 42\n"), ran.stderr


def test_package_is_for_the_childs_python(tmp_path: Path, wheel: Path) -> None:
    """A bare environment without pip: whatever can install does it for that one."""
    venv.create(tmp_path / "bare", symlinks=True)
    interpreter = str(tmp_path / "bare" / "bin" / "python")
    code = f"import {NAME}, sys; print(sys.prefix, {NAME}.VALUE)"
    ran = run(tmp_path, "--with", wheel, "--", interpreter, "-c", code, env=without("uv"))
    assert (ran.status, ran.stdout.decode()) == (0, f"{tmp_path / 'bare'} 42\n"), ran.stderr


def test_what_cannot_be_installed_is_said_and_nothing_is_run(tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_text("no archive")
    ran = run(tmp_path, "--with", broken, "--", "touch", "ran")
    assert ran.status == 1
    assert "could not be installed" in ran.stderr
    assert "so nothing was run" in ran.stderr
    assert not (tmp_path / "ran").exists()
    (failed,) = [detail for detail in ran.record.details("install") if detail["state"] == "failed"]
    assert failed["message"]
    assert ran.record.info["state"] == "failed"
    assert ran.record.details("process_start") == []


def test_command_that_is_not_there_either_way(tmp_path: Path, wheel: Path) -> None:
    ran = run(tmp_path, "--with", wheel, "--", "no-such-command")
    assert ran.status == 127
    assert ran.record.info["state"] == "failed"


def test_several_packages_and_odd_names_are_arguments_and_no_options(tmp_path: Path, wheel: Path) -> None:
    ran = run(tmp_path, "--with", wheel, "--with", "--index-url=http://127.0.0.1:1/", "--", "touch", "ran")
    assert ran.status == 1
    assert not (tmp_path / "ran").exists()
