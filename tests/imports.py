"""Which subpackages of simlib a notebook uses, directly or through others."""

import ast
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUBPACKAGES = sorted(path.parent.name for path in ROOT.glob("simlib/*/__init__.py"))


def used(source):
    """Return the subpackages that a piece of source names: imports, and `simlib.<subpackage>`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
    parts = [name.split(".") for name in found if name.startswith("simlib.")]
    return {part[1] for part in parts if part[1] in SUBPACKAGES}


def closure(subpackages):
    """Add all that the subpackages import in turn."""
    seen, waiting = set(), set(subpackages)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for path in (ROOT / "simlib" / name).rglob("*.py"):
            waiting |= used(path.read_text(encoding="utf-8")) - seen
    return seen


def notebook_source(path):
    """Return a notebook's code cells as one piece of source."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")


def dependencies(notebook):
    """Return the folders of simlib that a stage with this notebook depends on."""
    return {f"simlib/{name}" for name in closure(used(notebook_source(notebook)))}
