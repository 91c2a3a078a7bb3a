"""Notebooks without what editors and runs leave in them, so that DVC sees their content only."""

import os
from pathlib import Path

import nbformat

from simlib.core import SimlibError, written_aside


def strip_notebook(notebook: str | os.PathLike, target: str | os.PathLike) -> None:
    """Write a copy of a notebook that holds its cells and their tags, and nothing else.

    Parameters
    ----------
    notebook, target : path-like

    Raises
    ------
    SimlibError
        If the notebook cannot be read.
    """
    try:
        content = nbformat.read(Path(notebook), as_version=4)
    except (OSError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise SimlibError(notebook, f"is no notebook ({reason})", "restore it with git") from None
    content.metadata = {}
    for cell in content.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    with written_aside(target) as aside:
        aside.write_text(nbformat.writes(content) + "\n", encoding="utf-8")
