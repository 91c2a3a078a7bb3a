"""What an edit costs: the table of CONTRIBUTING.md, row by row."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
# Each row's file, a text in it, and what takes its place; None stands for a new first docstring.
EDITS = {
    "a docstring in core": ("core/files.py", None, None),
    "a docstring in catalogue": ("catalogue/tracks.py", None, None),
    "a docstring in features": ("features/spectrogram.py", None, None),
    "a docstring in relevance": ("relevance/labels.py", None, None),
    "a docstring in model": ("model/networks.py", None, None),
    "a docstring in training": ("training/augmentation.py", None, None),
    "a docstring in index": ("index/hubness.py", None, None),
    "a docstring in search": ("search/searcher.py", None, None),
    "a docstring in evaluation": ("evaluation/protocol.py", None, None),
    "a docstring in reporting": ("reporting/text.py", None, None),
    "a docstring in app": ("app/panel.py", None, None),
    "a comment in the spectrogram": ("features/spectrogram.py", "\ndef ", "\n# Why.\ndef "),
    "a check of the CSV reader": ("catalogue/csv_table.py", "import ", "CHECKED = True\nimport "),
    "the range of an evaluation setting": ("evaluation/settings.py", "ge=100", "ge=50"),
    "a template of the report": ("reporting/templates/blocks.html", "<em>", "<em class='x'>"),
    "a text of the panel": ("app/panel.py", "Also like this", "This one, too"),
    "the progress bar of the extraction": ("features/extraction.py", '"recordings"', '"files"'),
    "the augmentation": ("training/augmentation.py", "import numpy", "SEED = 1\nimport numpy"),
    "the mel filters": ("features/spectrogram.py", "import numpy", "TWICE = 2\nimport numpy"),
}  # fmt: skip
WORK = """
import json
from simlib.core import digest_of_code
from simlib.features.extraction import ENTRY_MODULES
print(json.dumps({
    "features": [digest_of_code(module) for module in ENTRY_MODULES.values()],
    "training": digest_of_code("simlib.training.fit"),
}))
"""


def documented():
    """The rows of the table: {edit: (stages, work)}."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("| edit |") :].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {edit: (stages, work) for edit, stages, work in rows[2:]}


def work(package):
    """What the code of a copy of the package makes: features and training, as digests."""
    done = subprocess.run(
        [sys.executable, "-c", WORK], cwd=package.parent, check=True, capture_output=True,
        text=True,
        env={"PYTHONPATH": str(package.parent)},
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def before():
    return work(ROOT / "simlib")


def test_the_table_has_these_rows():
    assert set(documented()) == set(EDITS)


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_costs_what_the_table_says(edit, tmp_path, before):
    name, old, new = EDITS[edit]
    package = shutil.copytree(
        ROOT / "simlib", tmp_path / "simlib", ignore=shutil.ignore_patterns("__pycache__")
    )
    path = package / name
    text = path.read_text(encoding="utf-8")
    if old is None:
        changed = re.sub(r'^"""', '"""Said otherwise: ', text, count=1)
    else:
        changed = text.replace(old, new, 1)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    after = work(package)
    folder = f"simlib/{name.split('/')[0]}"
    stages = [stage for stage, content in STAGES.items() if folder in content["deps"]]
    again = [kind for kind in before if before[kind] != after[kind]]
    assert documented()[edit] == (", ".join(stages) or "none", ", ".join(again) or "none")
