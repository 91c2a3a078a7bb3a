"""Digests of files, of values and of code: what results are found again by."""

from __future__ import annotations

import ast
import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]


def digest_of_file(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a JSON-like value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_code(*modules: str) -> str:
    """Return one digest of the code that some modules run: theirs and that of their imports.

    Comments, docstrings and layout are left out, so that explaining code makes no result stale.

    Parameters
    ----------
    *modules : str
        Full names of modules of simlib, such as `simlib.features.spectrogram`.

    Returns
    -------
    str
        SHA-256 over all of simlib that they import, directly or through others.
    """
    return digest_of({name: _syntax(_path(name)) for name in sorted(import_closure(*modules))})


def import_closure(*modules: str) -> set[str]:
    """Return the names of modules and of all modules of simlib that they import.

    A name that is imported from a subpackage counts as an import of the module that its stub names,
    not of the whole subpackage.

    Parameters
    ----------
    *modules : str
        Full names.

    Returns
    -------
    set of str
    """
    seen, waiting = set(), set(modules)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= _imports(_path(name)) - seen
    return seen


def _path(module):
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"


class _Executed(ast.NodeTransformer):
    """Leaves out `if TYPE_CHECKING:`: what only annotations name computes nothing."""

    def visit_If(self, node):
        self.generic_visit(node)
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else node


@cache
def _imports(path):
    found = set()
    for node in ast.walk(_Executed().visit(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simlib."):
            homes = _homes(PACKAGE.joinpath(*node.module.split(".")[1:]) / "__init__.pyi")
            for alias in node.names:
                home = homes.get(alias.name)
                found.add(f"{node.module}.{home}" if home else node.module)
    return found


@cache
def _homes(stub):
    """Return {public name: module} of a subpackage's stub; empty for a plain module."""
    if not stub.is_file():
        return {}
    nodes = ast.parse(stub.read_text(encoding="utf-8")).body
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module for node in imports for alias in node.names}


@cache
def _syntax(path):
    """Return a file's syntax tree as text, without comments, docstrings and positions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
