import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlib.core import SimlibError
from simlib.reporting import strip_notebook

CELLS = [
    {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Töne\n", "text"]},
    {
        "cell_type": "code",
        "id": "b",
        "metadata": {"tags": ["parameters"]},
        "source": ["x = 1"],
        "outputs": [],
        "execution_count": None,
    },
]
NOTEBOOK = {"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
NOTES = st.dictionaries(
    st.sampled_from(["collapsed", "editable", "jupyter", "vscode", "slideshow", "trusted"]),
    st.booleans() | st.dictionaries(st.text("ab"), st.text("cd")),
)


@given(notes=NOTES, count=st.none() | st.integers(1, 99), indent=st.sampled_from([None, 1, 4]))
def test_what_editors_and_runs_leave_is_gone_and_the_content_stays(
    tmp_path_factory, notes, count, indent
):
    folder = tmp_path_factory.mktemp("notebooks")
    notebook = json.loads(json.dumps(NOTEBOOK))
    notebook["metadata"] |= {"kernelspec": {"name": "python3", "display_name": "x"}, "toc": notes}
    for cell in notebook["cells"]:
        cell["metadata"] |= notes
    notebook["cells"][1]["execution_count"] = count
    stream = {"output_type": "stream", "name": "stdout", "text": "x\n"}
    notebook["cells"][1]["outputs"] = [stream] if count else []
    (folder / "a.ipynb").write_text(json.dumps(notebook, indent=indent))
    strip_notebook(folder / "a.ipynb", folder / "stripped" / "a.ipynb")
    assert json.loads((folder / "stripped" / "a.ipynb").read_text()) == NOTEBOOK


@pytest.mark.parametrize("content", [None, "", "[]", "{" * 10])
def test_what_is_no_notebook_is_refused_by_name(tmp_path, content):
    if content is not None:
        (tmp_path / "a.ipynb").write_text(content)
    with pytest.raises(SimlibError, match="a.ipynb.*is no notebook.*restore it with git"):
        strip_notebook(tmp_path / "a.ipynb", tmp_path / "b.ipynb")
