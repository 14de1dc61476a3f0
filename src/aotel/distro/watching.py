"""What the environment asks for beside spans and envelopes: a live view in the process, and a sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.calls.port import PORT

if TYPE_CHECKING:
    from aotel.export import EnvelopeExporter
    from aotel.settings import Settings

OFF = "off"


def console_exporter(settings: Settings) -> EnvelopeExporter | None:
    """Return what shows envelopes on standard error as they come, if `AOTEL_CONSOLE` asks for it; never raises."""
    if settings.console == OFF:
        return None
    try:
        from aotel.view import Level
        from aotel.view.console import ConsoleExporter

        return ConsoleExporter(settings.console, Level[settings.console_level.upper()])
    except Exception as error:  # noqa: BLE001 - the program goes on unseen
        PORT.report("the console", error)
        return None


def start_sensor(settings: Settings) -> None:
    """Have the process tell its pod which files it opens, whom it connects to and what it starts, as far as asked.

    Never raises: a policy that can't be read is said once, and nothing is held against it.
    """
    if not settings.sensor:
        return
    try:
        from aotel import sensor

        policy = sensor.policy.parse(settings.sensor_policy) if settings.sensor_policy else None
        sensor.start(settings.sensor, settings.pod_socket, policy=policy)
    except Exception as error:  # noqa: BLE001 - the program goes on unwatched
        PORT.report("the sensor", error)
