# ruff: noqa: ANN001, ANN202, BLE001, INP001, PTH100, PTH118, PTH120, UP031 - any Python 3 has to read it, also without typing
# pyright: reportTypeCommentUsage=false
"""Python imports this at its start under `aotel run`: instruments the process if it can, and is never in the way.

It stands alone: the Python that reads it may be of any version, and without OpenTelemetry or aotel. Then, and where the
program has a `sitecustomize` of its own, all is as if this file were not there.
"""

import os
import sys

_OLDEST = (3, 10)  # that aotel runs on
_DEFAULTS = {"OTEL_PYTHON_DISTRO": "aotel", "OTEL_PYTHON_CONFIGURATOR": "aotel"}
_OPENTELEMETRYS = os.path.join("opentelemetry", "instrumentation", "auto_instrumentation", "sitecustomize.py")
_LONGEST = 300  # characters of what is said on standard error


def _main():
    # type: () -> None
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if not path or os.path.abspath(path) != here]
    defaults = _set_defaults() if _can_instrument() else []
    failure = None
    found = None
    try:
        found = _import_next()
    except Exception as error:
        failure = error  # the program's own; Python reports it as always, after we are done
    try:
        if _can_instrument():
            defaults += _set_defaults()
            _instrument(here, initialized=found is not None and _is_opentelemetrys(found))
    except (Exception, SystemExit) as error:
        _say("%s: %s" % (type(error).__name__, error))
    finally:
        # What we set is meant for this process: a child may be without aotel.
        for name in defaults:
            os.environ.pop(name, None)
    if failure is not None:
        raise failure


def _import_next():
    # type: () -> object
    """Import the `sitecustomize` that would have been imported without us; return it, or None."""
    ours = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # type: ignore[import-not-found]
    except ImportError as error:
        if ours is not None:
            sys.modules["sitecustomize"] = ours  # the import that is under way looks for it
        if getattr(error, "name", None) == "sitecustomize" or str(error) == "No module named sitecustomize":
            return None
        raise
    return sitecustomize


def _is_opentelemetrys(module):
    # type: (object) -> bool
    path = getattr(module, "__file__", None) or ""
    return bool(path.endswith(_OPENTELEMETRYS))


def _can_instrument():
    # type: () -> bool
    """Say whether aotel and OpenTelemetry are there; imports neither."""
    if sys.version_info[:2] < _OLDEST:
        return False
    try:
        from importlib.util import find_spec

        return find_spec("aotel") is not None and find_spec("opentelemetry") is not None
    except Exception:
        return False


def _set_defaults():
    # type: () -> list[str]
    """Have aotel set OpenTelemetry up where the user names nobody else; return the variables that were set."""
    added = [name for name in _DEFAULTS if not os.environ.get(name)]
    for name in added:
        os.environ[name] = _DEFAULTS[name]
    return added


def _instrument(here, initialized):
    # type: (str, bool) -> None
    """Have OpenTelemetry instrument this process, unless its own `sitecustomize` has, and start the sensor."""
    complaints = [] if initialized else _initialize(here)
    from aotel import settings
    from aotel.distro.watching import start_sensor

    start_sensor(settings.load())  # aotel's configurator has done so; others that the user may have named have not
    if complaints:
        more = " (and %d more)" % (len(complaints) - 1) if len(complaints) > 1 else ""
        _say(complaints[0] + more)


def _initialize(here):
    # type: (str) -> list[str]
    """Run OpenTelemetry's auto-instrumentation; return what it complained of, each in one line."""
    try:
        from opentelemetry.instrumentation.auto_instrumentation import initialize
    except ImportError:
        return []
    import logging

    complaints = []  # type: list[str]

    class Complaints(logging.Handler):
        def emit(self, record):
            # type: (logging.LogRecord) -> None
            failure = record.exc_info[1] if record.exc_info else None
            text = record.getMessage()
            complaints.append("%s (%s: %s)" % (text, type(failure).__name__, failure) if failure else text)

    logger = logging.getLogger("opentelemetry.instrumentation.auto_instrumentation")
    handler = Complaints(logging.ERROR)
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    path = os.environ.get("PYTHONPATH")
    # As OpenTelemetry does with its own directory: a Python that is started meanwhile must not start another one.
    if path is not None:
        os.environ["PYTHONPATH"] = os.pathsep.join(part for part in path.split(os.pathsep) if part != here)
    try:
        initialize(swallow_exceptions=True)
    finally:
        if path is not None:
            os.environ["PYTHONPATH"] = path
        logger.removeHandler(handler)
        logger.propagate = propagates
    return complaints


def _say(text):
    # type: (str) -> None
    line = " ".join(text.split())[:_LONGEST]
    try:
        sys.stderr.write("aotel: not all of the program is seen: %s\n" % line)
    except Exception:
        return


_main()
