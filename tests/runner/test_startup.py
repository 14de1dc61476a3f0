"""The start-up file: instruments where it can, and is as if it were not there where it can't."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aotel.runner.environment import STARTUP
from tests.runner.running import environment, python, run

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")} | {"AOTEL_ENVELOPES": "none"}
SEEN = (
    "import os, sys; print('sitecustomize' in sys.modules, any('startup' in p for p in sys.path),"
    " 'opentelemetry.sdk' in sys.modules,"
    " sorted(n for n in os.environ if n.startswith('OTEL_PYTHON') and 'DISABLED' not in n))"
)


def start(*command: str, path: str = "", env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a Python with the start-up directory first on its path."""
    joined = os.pathsep.join([str(STARTUP), *([path] if path else [])])
    return subprocess.run(
        command,
        env=environment({**NONE, "PYTHONPATH": joined, **(env or {})}),
        capture_output=True,
        text=True,
        check=False,
        timeout=40,
    )


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python without OpenTelemetry, aotel, or anything else."""
    directory = tmp_path_factory.mktemp("bare")
    venv.create(directory, symlinks=True)
    return str(directory / "bin" / "python")


@pytest.fixture
def customized(tmp_path: Path) -> Path:
    """A directory with a `sitecustomize` of the user's."""
    directory = tmp_path / "mine"
    directory.mkdir()
    (directory / "sitecustomize.py").write_text("import sys\nMARK = 'mine'\nprint('user code ran')\n")
    return directory


def test_python_is_instrumented(tmp_path: Path) -> None:
    done = start(sys.executable, "-c", SEEN)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "True False True []\n"


def test_python_without_opentelemetry_is_silent_and_runs(bare: str) -> None:
    done = start(bare, "-c", SEEN)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[1:] == ["False", "False", "[]"]


def test_bare_python_under_aotel_run(tmp_path: Path, bare: str) -> None:
    ran = run(tmp_path, "--", bare, "-c", "import sys; print('bare', 'aotel' in sys.modules); sys.exit(3)")
    assert (ran.status, ran.stdout) == (3, b"bare False\n")
    assert "Traceback" not in ran.stderr
    assert "not all of the program is seen" not in ran.stderr
    assert ran.record.envelopes == []


def test_python_with_aotel_that_is_no_package_of_ours_is_said_in_one_line(tmp_path: Path, bare: str) -> None:
    """Something broken of our names on the path: one line, and the program runs."""
    (tmp_path / "aotel").mkdir()
    (tmp_path / "aotel" / "__init__.py").write_text("raise RuntimeError('broken\\nin two lines')")
    (tmp_path / "opentelemetry").mkdir()
    done = start(bare, "-c", "print('fine')", path=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "fine\n")
    assert done.stderr == "aotel: not all of the program is seen: RuntimeError: broken in two lines\n"


def test_exit_in_what_is_imported_is_no_exit_of_the_program(tmp_path: Path, bare: str) -> None:
    (tmp_path / "aotel").mkdir()
    (tmp_path / "aotel" / "__init__.py").write_text("raise SystemExit(9)")
    (tmp_path / "opentelemetry").mkdir()
    done = start(bare, "-c", "print('fine')", path=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "fine\n")
    assert len(done.stderr.splitlines()) == 1


def test_instrumentor_that_fails_is_said_in_one_line(tmp_path: Path) -> None:
    info = tmp_path / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[opentelemetry_instrumentor]\nbroken = broken:Broken\n")
    (tmp_path / "broken.py").write_text("raise ImportError('half an install')")
    done = start(sys.executable, "-c", "print('fine')", path=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "fine\n")
    (line,) = done.stderr.splitlines()
    assert line.startswith("aotel: not all of the program is seen: Importing of broken failed")
    assert "half an install" in line


@pytest.mark.parametrize("instrumented", [True, False])
def test_users_own_file_runs(customized: Path, bare: str, instrumented: bool) -> None:
    code = "import sitecustomize, sys; print(sitecustomize.MARK, 'opentelemetry.sdk' in sys.modules)"
    done = start(sys.executable if instrumented else bare, "-c", code, path=str(customized))
    assert done.returncode == 0
    assert done.stdout == f"user code ran\nmine {instrumented}\n"
    assert done.stderr == ""


def test_users_own_file_that_fails_is_reported_as_without_us(customized: Path, bare: str) -> None:
    (customized / "sitecustomize.py").write_text("raise ValueError('theirs')")
    without = subprocess.run(
        [sys.executable, "-c", "print(1)"],
        env=environment({"PYTHONPATH": str(customized)}),
        capture_output=True,
        text=True,
        check=True,
    )
    for interpreter in (sys.executable, bare):
        done = start(interpreter, "-c", "print(1)", path=str(customized))
        assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", without.stderr)
    seen = start(sys.executable, "-c", SEEN, path=str(customized))
    assert seen.stdout.split()[2] == "True"


def test_users_own_file_that_imports_what_is_not_there(customized: Path, bare: str) -> None:
    (customized / "sitecustomize.py").write_text("import no_such_module")
    done = start(bare, "-c", "print(1)", path=str(customized))
    assert done.stdout == "1\n"
    assert "no_such_module" in done.stderr


def test_children_stay_instrumented(tmp_path: Path) -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SEEN!r}])"
    done = start(sys.executable, "-c", code)
    assert done.stdout == "True False True []\n"


def test_opentelemetry_instrument_as_the_command_works(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "opentelemetry-instrument"
    code = "import aotel\n@aotel.coat('tool')\ndef f(): return 'seen'\nf()"
    (tmp_path / "agent.py").write_text(code)
    ran = run(tmp_path, "--", script, sys.executable, "agent.py")
    assert ran.status == 0, ran.stderr
    ends = [envelope for envelope in ran.record.envelopes if envelope["kind"] == "agent.tool.result"]
    assert [each["payload"]["result_preview"] for each in ends] == ["'seen'"]
    assert "Traceback" not in ran.stderr


def test_opentelemetrys_own_file_after_ours_instruments_once(tmp_path: Path) -> None:
    """As in a cluster whose operator puts it on the path of every container."""
    from opentelemetry.instrumentation import auto_instrumentation

    directory = str(Path(auto_instrumentation.__file__).parent)
    counting = tmp_path / "counting-1.dist-info"
    counting.mkdir()
    (counting / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1\n")
    (counting / "entry_points.txt").write_text("[opentelemetry_pre_instrument]\ncounting = counting:count\n")
    (tmp_path / "counting.py").write_text("def count(): print('instrumented')\n")
    code = "from opentelemetry import trace; print(type(trace.get_tracer_provider()).__module__)"
    done = start(sys.executable, "-c", code, path=os.pathsep.join([directory, str(tmp_path)]))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "instrumented\nopentelemetry.sdk.trace\n"


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_isolated_python_is_left_alone(tmp_path: Path, option: str) -> None:
    ran = run(tmp_path, "--", sys.executable, option, "-c", "import sys; print('aotel.distro' in sys.modules)")
    assert (ran.status, ran.stdout) == (0, b"False\n")


def test_users_distro_is_respected(tmp_path: Path) -> None:
    code = "import os; print(os.environ['OTEL_PYTHON_DISTRO'], 'OTEL_PYTHON_CONFIGURATOR' in os.environ)"
    done = start(sys.executable, "-c", code, env={"OTEL_PYTHON_DISTRO": "theirs"})
    assert done.stdout == "theirs False\n"


def test_everything_off_is_off(tmp_path: Path) -> None:
    code = "import aotel\n@aotel.coat('tool')\ndef f(): return 1\nprint(f())"
    ran = run(tmp_path, "--", *python(code), env={"AOTEL_DISABLED": "true"})
    assert (ran.status, ran.stdout) == (0, b"1\n")
    assert ran.record.envelopes == []


def _other_pythons() -> list[str]:
    """Return interpreters of other versions on this machine, however old."""
    roots = {Path(sys.base_prefix).parent, Path("/usr/bin")}
    found = {
        candidate.resolve()
        for root in roots
        for pattern in ("*/bin/python", "python[23]", "python[23].[0-9]*")
        for candidate in root.glob(pattern)
        if not candidate.name.endswith("-config")
    }
    return sorted(str(path) for path in found if os.access(path, os.X_OK) and "bin" in path.parts)


@pytest.mark.parametrize("interpreter", _other_pythons() or [sys.executable])
def test_any_python_reads_it(interpreter: str) -> None:
    code = "import sys; sys.stdout.write('%d.%d ran' % sys.version_info[:2])"
    without = subprocess.run(
        [interpreter, "-c", code], env={"PATH": os.defpath}, capture_output=True, text=True, check=False
    )
    done = subprocess.run(
        [interpreter, "-c", code],
        env={"PATH": os.defpath, "PYTHONPATH": str(STARTUP), "PYTHONDONTWRITEBYTECODE": "1", **NONE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (without.returncode, without.stdout, without.stderr)
