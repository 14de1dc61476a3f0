"""The doctor looks at what is installed: versions, libraries that become spans, and who else is there."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.dependencies import get_dependency_conflicts

from aotel import settings as environment
from aotel._version import __version__
from aotel.cli.doctor.finding import Finding, Section
from aotel.instrumentation.switch import libraries

if TYPE_CHECKING:
    from aotel.instrumentation.library import Library

_PACKAGES = ("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-instrumentation")
_EXTRAS = {"http": "opentelemetry-exporter-otlp-proto-http", "cli": "rich"}
"""One package of each extra that is not about a library."""
_OURS = "aotel"


def packages() -> Section:
    """Look at the versions of what aotel stands on."""
    findings = [
        Finding("python", "ok", f"{platform.python_version()} ({platform.python_implementation()})"),
        Finding(_OURS, "ok", __version__),
    ]
    findings += [Finding(name, "ok", found) for name in _PACKAGES if (found := _version(name))]
    for extra, name in _EXTRAS.items():
        found = _version(name)
        text = f"{name} {found}" if found else f"{name} is not installed"
        advice = "" if found else f"if you need it: pip install 'aotel[{extra}]'"
        findings.append(Finding(f"extra [{extra}]", "ok" if found else "info", text, advice))
    return Section("Installed", findings)


def instrumented() -> Section:
    """Look at each library whose calls can become spans, and at auto-instrumentation itself."""
    asked = environment.load().instrument
    findings = [_library(library, asked) for library in libraries()]
    return Section("Instrumentation", [*findings, *_competitors()])


def _library(library: Library, asked: tuple[str, ...]) -> Finding:
    found = _version(library.distribution)
    if found is None:
        return Finding(library.name, "info", "not installed")
    if "all" not in asked and library.name not in asked:
        return Finding(library.name, "info", f"{found}, left alone: AOTEL_INSTRUMENT is {','.join(asked)}")
    if get_dependency_conflicts([f"{library.distribution} {library.versions}"]):
        return Finding(
            library.name,
            "warning",
            f"{found}, left alone: its calls become spans in the versions {library.versions}",
            f"pip install '{library.distribution}{library.versions}'",
        )
    return Finding(library.name, "ok", f"{found}, its calls become spans")


def _competitors() -> list[Finding]:
    """Say who else takes part in auto-instrumentation: the first distro that is found wins, and so on."""
    findings: list[Finding] = []
    for group, what in (("opentelemetry_distro", "distro"), ("opentelemetry_configurator", "configurator")):
        others = sorted({point.name for point in entry_points(group=group)} - {_OURS})
        if others:
            findings.append(
                Finding(
                    f"{what}s",
                    "info",
                    f"besides aotel's there is {', '.join(others)}; under `opentelemetry-instrument` one of them runs",
                    f"OTEL_PYTHON_{what.upper()}=aotel makes it aotel's; aotel attaches to either",
                )
            )
    others = sorted(
        {
            point.name
            for point in entry_points(group="opentelemetry_instrumentor")
            if point.name in {library.name for library in libraries()} and not point.value.startswith("aotel.")
        }
    )
    if others:
        findings.append(
            Finding(
                "others",
                "info",
                f"another instrumentor is there for {', '.join(others)}; a call that both see is counted once",
            )
        )
    return findings


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
