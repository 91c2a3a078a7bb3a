"""Which modules of simlib a notebook imports, directly or through others."""

import ast
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def imported(source):
    """Return the simlib modules that a piece of source names in its imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    modules = {name.removeprefix("simlib.") for name in found if name.startswith("simlib.")}
    return {name for name in modules if (ROOT / "simlib" / f"{name}.py").is_file()}


def closure(modules):
    """Add all that the modules import in turn."""
    seen, waiting = set(), set(modules)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= imported((ROOT / "simlib" / f"{name}.py").read_text(encoding="utf-8")) - seen
    return seen


def notebook_source(path):
    """Return a notebook's code cells as one piece of source."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")


def dependencies(notebook):
    """Return the files of simlib that a stage with this notebook depends on."""
    modules = closure(imported(notebook_source(notebook)))
    return {"simlib/__init__.py"} | {f"simlib/{name}.py" for name in modules}
