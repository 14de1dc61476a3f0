"""The environment of the child: it is told of its pod, Python is told to instrument itself, nothing else changes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aotel.semconv import environment as env
from aotel.settings import check_envelopes

if TYPE_CHECKING:
    from collections.abc import Mapping

STARTUP: Final = Path(__file__).parent / "startup"
"""Directory of the `sitecustomize` that instruments a Python."""

_SIGNALS: Final = ("TRACES", "METRICS", "LOGS")
_CONFIG_FILE: Final = "OTEL_CONFIG_FILE"
_POD: Final = ("pod",)
_PROCESSES: Final = "processes"
_SENSOR: Final = "files,network,processes"


@dataclass(frozen=True)
class Surroundings:
    """What a child has around it.

    Attributes:
        pod_id: its pod.
        socket: the queue socket of that.
        policy: what the sensor holds against the child's doings, as JSON; None for nothing.
        overlay: directory of the packages that were installed for it.
        backends: where spans go besides the run's own pod, by name; none for what the environment says.
        shown: whether there is a live view of the run.
    """

    pod_id: str
    socket: str
    policy: str | None = None
    overlay: Path | None = None
    backends: tuple[str, ...] = ()
    shown: bool = True


def compose(environ: Mapping[str, str], around: Surroundings) -> dict[str, str]:
    """Return the child's environment.

    Args:
        environ: our own.
        around: what the child has around it.
    """
    made = {**environ, env.ENVPOD_POD_ID.name: around.pod_id, env.ENVPOD_SOCKET.name: around.socket}
    if not made.get(env.AOTEL_SENSOR.name):
        made[env.AOTEL_SENSOR.name] = _SENSOR
    made.pop(env.AOTEL_SENSOR_POLICY.name, None)
    if around.policy is not None:
        made[env.AOTEL_SENSOR_POLICY.name] = around.policy
    if around.shown:
        made.pop(env.AOTEL_CONSOLE.name, None)  # one view is enough
    made["PYTHONPATH"] = _python_path(environ.get("PYTHONPATH", ""), around.overlay)
    if around.overlay is not None:
        # Last: what is installed for the run must not stand in for the system's own programs.
        made["PATH"] = os.pathsep.join((environ.get("PATH", os.defpath), str(around.overlay / "bin")))
    _tell_children(made)
    _choose_exporters(made, around.backends)
    _add_pod(made, alone=around.backends == _POD)
    return made


def _python_path(former: str, overlay: Path | None) -> str:
    startup = str(STARTUP)
    parts = [startup] if overlay is None else [startup, str(overlay)]
    # An outer run's start-up directory is the same one; an empty part means the working directory, and stays.
    return os.pathsep.join(parts + [part for part in former.split(os.pathsep) if former and part != startup])


def _tell_children(made: dict[str, str]) -> None:
    """Have agents that start agents share a trace."""
    name = env.AOTEL_PROPAGATE.name
    asked = [item.strip() for item in made.get(name, "").split(",") if item.strip()]
    if _PROCESSES not in (item.lower() for item in asked):
        made[name] = ",".join((*asked, _PROCESSES))


def _choose_exporters(made: dict[str, str], backends: tuple[str, ...]) -> None:
    """Nothing leaves the machine unless somebody has said where to."""
    if backends:
        made[env.AOTEL_BACKEND.name] = ",".join(backends)
    if backends == _POD:
        made.pop(_CONFIG_FILE, None)
    for signal in _SIGNALS:
        exporter = f"OTEL_{signal}_EXPORTER"
        if backends == _POD:
            made[exporter] = "none"
        elif made.get(exporter) or made.get(_CONFIG_FILE):
            continue
        elif backends:
            # What is said of spans here would count beside the backends: they are set up by themselves.
            made[exporter] = "otlp" if "otlp" in backends else "none"
        elif not _has_endpoint(made, signal):
            made[exporter] = "none"


def _has_endpoint(made: Mapping[str, str], signal: str) -> bool:
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return any(made.get(name) for name in names)


def _add_pod(made: dict[str, str], *, alone: bool) -> None:
    """Have envelopes go to the pod whatever else the user wants of them, unless that is none."""
    name = env.AOTEL_ENVELOPES.name
    if alone:
        made[name] = "pod"
        return
    try:
        asked = check_envelopes(made.get(name, "").split(",")) if made.get(name) else ("auto",)
    except ValueError:
        return  # what can't be read counts as unset, and is said by whoever reads it
    if asked in {("auto",), ("none",)} or "pod" in asked:
        return
    made[name] = ",".join(("pod", *asked))
