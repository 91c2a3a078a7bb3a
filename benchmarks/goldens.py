"""Golden outputs of the demo, to show that a change of the code changes no figure.

`python benchmarks/goldens.py make FOLDER` copies the working tree aside, trains there briefly with
fixed seeds and keeps what users see in FOLDER: both metrics files, answers to queries by track id
and by file, and embeddings of files. `python benchmarks/goldens.py compare FOLDER OTHER` compares
two such folders, number by number. Goldens hold on one machine only: thread counts and processors
change the last bits of a training.
"""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import typer
import yaml

ROOT = Path(__file__).resolve().parents[1]
# Enough to run every line of a training, short enough to be run after every step of a change.
SHORT = {"train": {"epochs": 3}, "evaluate": {"bootstrap": 200}}
QUERIES = 3

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


def working_copy(folder):
    """Copy what git knows of the working tree, the demo catalogue and the environment's link."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    for section, values in SHORT.items():
        params[section].update(values)
    text = yaml.safe_dump(params, sort_keys=False)
    (folder / "params.yaml").write_text(text, encoding="utf-8")


@app.command()
def make(folder: Path):
    """Run the demo briefly and keep its outputs in FOLDER."""
    copy = folder.resolve() / "project"
    shutil.rmtree(folder, ignore_errors=True)
    copy.mkdir(parents=True)
    working_copy(copy)
    # The environment's simlib is that of the checkout; here the copy's comes first.
    path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PYTHONPATH": str(copy), "PATH": path}

    def run(*command):
        return subprocess.run(
            command, cwd=copy, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    run("git", "init", "--quiet")
    run("make", "--old-file=.venv/.ready", "demo")
    run("make", "--old-file=.venv/.ready", "repro")
    for name in ("evaluation.json", "search.json"):
        shutil.copy2(copy / "metrics" / name, folder / name)
    files = sorted((copy / "data" / "audio").rglob("*.*"))[:QUERIES]
    ids = [path.relative_to(copy / "data").with_suffix("").as_posix() for path in files]
    known = {row["track_id"] for row in json.loads(run("simlib", "query", str(files[0]), "--json"))}
    queries = [*sorted(known)[:QUERIES], *map(str, files)]
    answers = [json.loads(run("simlib", "query", query, "--json")) for query in queries]
    text = json.dumps(answers, indent=1, sort_keys=True)
    (folder / "queries.json").write_text(text, encoding="utf-8")
    embedded = folder / "embeddings.npz"
    run("simlib", "embed", *map(str, files), "--out", str(embedded.resolve()))
    weights = "pretrained/encoder.safetensors"
    embedded = embedded.with_stem("pretrained")
    run("simlib", "embed", *map(str, files), "--out", str(embedded.resolve()), "--weights", weights)
    shutil.rmtree(copy)
    print(f"{len(queries)} queries, {len(ids)} embedded files: {folder}")


def differences(one, other, tolerance, where=""):
    """Yield a line for each place in which two JSON-like values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            if key not in one or key not in other:
                yield f"{where}/{key}: only in {'the first' if key in one else 'the second'}"
            else:
                yield from differences(one[key], other[key], tolerance, f"{where}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, tolerance, f"{where}/{place}")
    elif isinstance(one, float) and isinstance(other, (int, float)):
        if not math.isclose(one, other, rel_tol=0, abs_tol=tolerance):
            yield f"{where}: {one} and {other}"
    elif one != other:
        yield f"{where}: {one!r} and {other!r}"


@app.command()
def compare(folder: Path, other: Path, tolerance: float = 0.0):
    """Compare two folders; exit with 1 if a number differs by more than the tolerance."""
    found = []
    for name in ("evaluation.json", "search.json", "queries.json"):
        pair = [json.loads((one / name).read_text(encoding="utf-8")) for one in (folder, other)]
        found += [f"{name}{line}" for line in differences(*pair, tolerance)]
    for name in ("embeddings.npz", "pretrained.npz"):
        pair = []
        for one in (folder, other):
            with np.load(one / name, allow_pickle=False) as arrays:
                pair.append({key: arrays[key].tolist() for key in arrays.files})
        found += [f"{name}{line}" for line in differences(*pair, tolerance)]
    print(*found[:40], sep="\n")
    print(f"{len(found)} differences beyond {tolerance:g}")
    raise typer.Exit(bool(found))


if __name__ == "__main__":
    app()
