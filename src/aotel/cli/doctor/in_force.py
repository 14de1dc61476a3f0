"""The doctor looks at the settings: which are in force, which variable says so, and which values can't be used."""

from __future__ import annotations

from aotel import settings as environment
from aotel.cli.doctor.finding import Finding, Section


def settings() -> Section:
    """Look at every variable that is set, and at what could not be used of them."""
    settings = environment.load()
    findings = [Finding(name, "ok", value) for name, value in environment.variables_set()]
    if not findings:
        findings = [Finding("environment", "info", "no variable of aotel's is set: the defaults are in force")]
    if settings.disabled:
        findings.append(
            Finding("disabled", "warning", "everything is off", "unset AOTEL_DISABLED and OTEL_SDK_DISABLED")
        )
    findings += [
        Finding("unusable", "problem", problem, "correct the variable, or unset it") for problem in settings.problems
    ]
    return Section("Settings", findings)
