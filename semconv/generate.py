"""Writes everything that follows from `registry/*.yaml`: Python modules, reference pages, the schema of envelopes.

The table of instrumented calls follows from the instrumentors' own list.

`python semconv/generate.py` writes, `python semconv/generate.py --check` only tells which files are stale.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from envelope_schema import build_schema, phases
from loading import read_registry
from vocabulary import RegistryError

from aotel import backends
from aotel.instrumentation.coverage import coverage

if TYPE_CHECKING:
    from vocabulary import Attribute, Registry, Variable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODULES = ("__init__", "attributes", "environment", "kinds", "metrics", "operations")
PAGES = ("attributes", "envelopes", "environment", "metrics", "operations")
README = "README.md"
INSTRUMENTATION = "docs/instrumentation.md"
BACKENDS = "docs/backends.md"
BACKENDS_TABLE = re.compile(r"(<!-- backends:begin -->\n).*?(<!-- backends:end -->)", re.DOTALL)
INSTRUMENTATION_TABLE = re.compile(r"(<!-- coverage:begin -->\n).*?(<!-- coverage:end -->)", re.DOTALL)
README_TABLE = re.compile(r"(<!-- environment:begin -->\n).*?(<!-- environment:end -->)", re.DOTALL)
WIDTH = 120


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and list what is stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="project to write into")
    parser.add_argument("--registry", type=Path, default=HERE / "registry", help="folder of the registry's files")
    options = parser.parse_args(arguments)
    try:
        files = generate(read_registry(options.registry), options.root)
    except RegistryError as error:
        print(error, file=sys.stderr)
        return 1
    stale = [name for name, text in files.items() if _read(options.root / name) != text]
    if options.check:
        print("\n".join(f"stale: {name}" for name in stale) or "everything is fresh")
        return 1 if stale else 0
    for name in stale:
        path = options.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[name], encoding="utf-8")
        print(f"wrote {name}")
    return 0


def generate(registry: Registry, root: Path) -> dict[str, str]:
    """Return the text of every generated file by its path below `root`."""
    environment = _templates()
    values = _values(registry)
    files = {f"src/aotel/semconv/{m}.py": _python(environment, m, values) for m in MODULES}
    files |= {f"docs/reference/{p}.md": environment.get_template(f"{p}.md.j2").render(values) for p in PAGES}
    files["semconv/aotp-0.1.schema.json"] = json.dumps(build_schema(registry), indent=2, ensure_ascii=False) + "\n"
    table = environment.get_template("environment_table.md.j2").render(values)
    filled = (
        (README, README_TABLE, table),
        (INSTRUMENTATION, INSTRUMENTATION_TABLE, coverage()),
        (BACKENDS, BACKENDS_TABLE, backends.table()),
    )
    for name, place, text in filled:
        page = _read(root / name)
        if page is not None and place.search(page):
            files[name] = _filled(place, page, text)
    return files


def _filled(place: re.Pattern[str], page: str, text: str) -> str:
    """Return a page with a text in its place between two marks."""
    return place.sub(lambda match: f"{match[1]}{text}{match[2]}", page)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701  (writes Python and Markdown, no HTML)
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "accepted": _accepted,
        "cell": _cell,
        "literal": _literal,
        "shown_name": _shown_name,
        "shown_value": _shown_value,
        "strings": _strings,
        "summary": _summary,
        "symbol": lambda name: name.upper().replace(".", "_"),
        "wrapped": _wrapped,
    }
    return environment


def _values(registry: Registry) -> dict[str, object]:
    """Return what the templates see: the registry, and what follows from it about content."""
    attributes = list(registry.attributes)
    content = sorted(a.id for a in attributes if a.content)
    prefixes = sorted(prefix for a in attributes if a.content and a.family for prefix in _prefixes(a, attributes))
    plain = (a.id for a in attributes if not a.content)
    return {
        **{name: getattr(registry, name) for name in registry.__struct_fields__},
        "phases": phases(registry),
        "variables": [v for group in registry.environment for v in group.variables],
        "measured": [a for a in attributes if _tells_apart(a, registry)],
        "names": sorted(a.id for a in attributes),
        "content": content,
        "prefixes": prefixes,
        "exceptions": sorted(name for name in plain if name.startswith(tuple(prefixes))),
    }


def _tells_apart(attribute: Attribute, registry: Registry) -> bool:
    """Say whether some metrics have an attribute, and others don't."""
    return 0 < sum(attribute.id in metric.attributes for metric in registry.metrics) < len(registry.metrics)


def _prefixes(family: Attribute, attributes: list[Attribute]) -> list[str]:
    """Return how names of the family begin: with a digit where a name that is no member would begin alike."""
    prefix = f"{family.id}."
    shared = any(a.id.startswith(prefix) and not a.content for a in attributes)
    indexed = family.type_name.startswith("indexed")
    return [f"{prefix}{digit}" for digit in range(10)] if indexed and shared else [prefix]


def _summary(attribute: Attribute) -> str:
    brief = attribute.brief
    return f"{brief} Deprecated: {attribute.deprecated}." if attribute.deprecated else brief


def _wrapped(text: str) -> str:
    """Return the text of a docstring: one line, or several that fit."""
    lines = textwrap.wrap(" ".join(text.split()), WIDTH - len('""""""'))
    return lines[0] if len(lines) == 1 else "\n".join([*textwrap.wrap(text, WIDTH), ""])


def _literal(text: str) -> str:
    """Return a Python expression for a text: one string, or several side by side."""
    quoted = [json.dumps(part, ensure_ascii=False) for part in _parts(" ".join(text.split()))]
    return quoted[0] if len(quoted) == 1 else "(" + "\n".join(quoted) + ")"


def _parts(text: str) -> list[str]:
    lines = textwrap.wrap(text, WIDTH - 20)
    return [f"{line} " for line in lines[:-1]] + lines[-1:]


def _strings(texts: list[str]) -> str:
    """Return a Python tuple of strings; the formatter decides how many lines it takes."""
    return "(" + ", ".join(f'"{text}"' for text in texts) + ("," if len(texts) == 1 else "") + ")"


def _accepted(variable: Variable) -> str:
    """Return what a variable takes, for people."""
    members = ", ".join(f"`{member}`" for member in variable.members)
    return f"{variable.type}: {members}" if members else variable.type


def _shown_name(attribute: Attribute) -> str:
    if not attribute.family:
        return attribute.id
    return f"{attribute.id}.<n>.…" if attribute.type_name.startswith("indexed") else f"{attribute.id}.<key>"


def _shown_value(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _cell(text: object) -> str:
    """Return a text for a cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def _python(environment: jinja2.Environment, module: str, values: dict[str, object]) -> str:
    text = environment.get_template(f"{module}.py.j2").render(values)
    name = f"src/aotel/semconv/{module}.py"
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", name, "-"]
    return subprocess.run(  # noqa: S603  (the formatter of this interpreter, on our own text)
        command, input=text, capture_output=True, check=True, text=True, cwd=ROOT
    ).stdout


if __name__ == "__main__":
    raise SystemExit(main())
