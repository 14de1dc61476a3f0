"""Where Python and what is installed for it live: not worth telling of, and readable whatever a policy says."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Final

from aotel import errors as _neighbour

_INSTALLED: Final = ("site-packages", "dist-packages")
_CODE: Final = (".py", ".pyc", ".pyi", ".so", ".pyd")
_METADATA: Final = (".dist-info/", ".egg-info/")

_SYSTEM: Final = (
    # Certificates.
    "/etc/ssl/certs/",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs/",
    "/etc/pki/ca-trust/",
    "/etc/ca-certificates/",
    "/usr/share/ca-certificates/",
    "/usr/local/share/ca-certificates/",
    # Time zones and languages.
    "/etc/localtime",
    "/etc/timezone",
    "/usr/share/zoneinfo/",
    "/usr/lib/zoneinfo/",
    "/usr/share/lib/zoneinfo/",
    "/etc/zoneinfo/",
    "/usr/share/locale/",
    "/usr/lib/locale/",
    # What libraries ask of the system they are on.
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/usr/lib/os-release",
    "/sys/",
)
_DEVICES: Final = frozenset(
    {"/dev/full", "/dev/null", "/dev/ptmx", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero"}
)
_TERMINALS: Final = ("/dev/pts/", "/dev/ttys")
_OWN_FILE: Final = os.path.dirname(_neighbour.__file__ or "")  # noqa: PTH120 - texts throughout


class PythonPaths:
    """The interpreter's directories, as they are when this is made.

    Attributes:
        libraries: where paths of installed code begin: the standard library, packages, aotel. Directories end in a
            slash; archives don't.
    """

    def __init__(self) -> None:
        self.libraries = _libraries()
        self._files = frozenset(os.path.realpath(path) for path in _files() if path)

    def may_read(self, path: str) -> bool:
        """Say whether Python, or a library in it, has to be able to read a file.

        Args:
            path: absolute, without links or dots in it.
        """
        if path.startswith((*self.libraries, *_SYSTEM)) or path in self._files:
            return True
        return _is_own_process(path) or _is_module(path) or may_use(path)


def may_use(path: str) -> bool:
    """Say whether a path is a device or a descriptor that every program may read and write.

    Args:
        path: absolute, without links or dots in it.
    """
    if path in _DEVICES or path.startswith(_TERMINALS):
        return True
    # What a link to an open pipe or socket is called, which is no path.
    return path.startswith("/proc/") and ":[" in os.path.basename(path)  # noqa: PTH119


def is_compiling(path: str) -> bool:
    """Say whether a path is where the import system keeps what it compiled, which it copes without."""
    head, _, name = path.rpartition("/__pycache__")
    return bool(head) and (not name or (name.startswith("/") and ".pyc" in name and "/" not in name[1:]))


def _is_own_process(path: str) -> bool:
    if not path.startswith("/proc/"):
        return False
    name = path.split("/", 3)[2]
    return not name.isdigit() or int(name) == os.getpid()


def _is_module(path: str) -> bool:
    """Say whether a file can be imported, or describes what can; `sys.path` is asked as it is now."""
    if not path.endswith(_CODE) and not any(part in path for part in _METADATA):
        return path in map(_real, tuple(sys.path))  # an archive
    return any(path.startswith(_real(entry).rstrip("/") + "/") for entry in tuple(sys.path))


def _real(entry: object) -> str:
    if type(entry) is not str:
        return "\0"
    try:
        return os.path.realpath(entry or os.curdir)
    except (OSError, ValueError):
        return "\0"


def _libraries() -> tuple[str, ...]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = [os.path.dirname(os.__file__), _OWN_FILE]  # noqa: PTH120
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}:
        found += [os.path.join(prefix, lib, version) for lib in ("lib", "lib64")]  # noqa: PTH118
    found += [entry for entry in sys.path if _is_installed(entry)]
    # As they are called, and as they are called in truth: either may be what is opened.
    named = {path for each in found if each for path in (os.path.abspath(each), os.path.realpath(each))}  # noqa: PTH100
    archives = {entry for entry in sys.path if entry.endswith(".zip") and entry.startswith("/")}
    return tuple(sorted({path + "/" for path in named if path != "/"} | archives))


def _is_installed(entry: object) -> bool:
    """Say whether a directory of `sys.path` is one that packages are installed into."""
    if type(entry) is not str or not entry:
        return False
    if entry.rstrip("/").endswith(_INSTALLED):
        return True
    with contextlib.suppress(OSError, ValueError):
        return any(name.endswith(".dist-info") for name in os.listdir(entry))  # noqa: PTH208
    return False


def _files() -> list[str]:
    main = sys.modules.get("__main__")
    script = getattr(main, "__file__", None)
    arguments: list[str] = getattr(sys, "argv", [])
    return [
        sys.executable,
        os.path.join(sys.prefix, "pyvenv.cfg"),  # noqa: PTH118
        script if isinstance(script, str) else "",
        arguments[0] if arguments and os.path.isfile(arguments[0]) else "",  # noqa: PTH113
    ]
