"""Every command block of README.md, as written, in a fresh clone whose demo catalogue is small."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from project import RATE, Project, tone, write_music

from simlib.features import mp3_bytes

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    [line.removeprefix("    ") for line in block.splitlines()]
    for block in re.findall(r"(?:^    .*\n)+", README, flags=re.MULTILINE)
]
# What needs a human, and what runs this test.
BY_HAND = ("make lab", "make app", "make test")
# Blocks that are pictures: the stages, and the layout of the tree.
PICTURES = ("data/ --extract-->", "notebooks/ ")


def kind_of(block):
    if block[0].startswith(PICTURES):
        return "picture"
    if block[0].startswith("path,"):
        return "table"
    return "python" if block[0].startswith("import ") else "shell"


def commands():
    """The lines of the shell blocks without their comments, but for those that a human needs."""
    lines = [line for block in BLOCKS if kind_of(block) == "shell" for line in block]
    lines = [re.sub(r"\s+#.*", "", line) for line in lines]
    return [line for line in lines if not line.startswith(BY_HAND)]


TABLE = next(block for block in BLOCKS if kind_of(block) == "table")


def write_song(path, seconds, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mp3_bytes(tone(seconds, 220 * 2 ** (seed / 12), 0.1, seed), RATE))


def write_catalogue(folder):
    """A folder of music with the table of README, whose columns more rows fill."""
    header = TABLE[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in TABLE[1:]]
    for row in rows:
        write_song(folder / row["path"], 4, 99)
    write_music(folder)
    names = {0: "one-id", 3: "two-id", 6: "three-id"}
    for number, path in enumerate(sorted(folder.rglob("*.flac"))):
        odd = int(path.parent.name[-2:]) % 2
        row = {"path": path.relative_to(folder).as_posix(), "title": path.stem}
        row |= {"artist": path.parent.name, "genre": ("Rock", "Jazz")[odd]}
        row |= {"mood": ("angry", "calm")[odd], "bpm": str(90 + number)}
        row["track_id"] = names.get(number, path.stem)
        rows.append(row)
    header = ["track_id", *header]
    lines = [",".join(row.get(name, f"id {i}") for name in header) for i, row in enumerate(rows)]
    (folder / "tracks.csv").write_text("\n".join([",".join(header), *lines]) + "\n")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone by README's first command, before anything was made."""
    base = tmp_path_factory.mktemp("readme")
    origin = base / "origin"
    origin.mkdir()
    project = Project(origin)
    write_catalogue(base / "music")
    project.make("catalogue", f"FROM={base / 'music'}")
    shutil.rmtree(origin / "demo" / "remote")
    project.run("dvc", "push", "--remote", "demo", "data.dvc")
    pointer = yaml.safe_load((origin / "data.dvc").read_text())
    pointer["outs"][0]["remote"] = "demo"
    (origin / "data.dvc").write_text(yaml.safe_dump(pointer))
    shutil.copy(origin / "data.dvc", origin / "demo" / "catalogue.dvc.yaml")
    commit(project, "origin")
    [line] = [line for line in commands() if line.startswith("git clone")]
    project.folder = base
    project.run("bash", "-c", line.replace("<this repository>", str(origin)))
    project.folder = base / "simlib"
    (project.folder / ".venv").symlink_to((origin / ".venv").readlink())
    for name, seconds in (("song.mp3", 60), ("two.mp3", 5), ("mix.mp3", 30)):
        write_song(project.folder / name, seconds, len(name))
    project.music = base / "music"
    return project


def commit(project, subject):
    project.git("add", "--all")
    who = ["-c", "user.name=simlib", "-c", "user.email=simlib@localhost"]
    project.git(*who, "commit", "--quiet", "--message", subject)


def run(project, line, monkeypatch):
    """Run a line of README in the clone, without a network, and return what it printed."""
    # Nothing listens there: a download would fail.
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    # Make takes the environment for installed, as in every test.
    monkeypatch.setenv("MAKEFLAGS", "")
    line = line.replace("/path/to/music", str(project.music))
    line = re.sub(r"^make ", "make --old-file=.venv/.ready ", line)
    return project.run("bash", "-eo", "pipefail", "-c", line)


def test_every_block_is_known():
    kinds = [kind_of(block) for block in BLOCKS]
    assert kinds.count("table") == kinds.count("python") == 1
    known = re.compile(r"(git|make|simlib|dvc) ")
    assert all(known.match(line) for line in commands())


def test_the_commands_work_in_their_order(clone, monkeypatch):
    ids = None
    for line in commands():
        if line.startswith("git clone"):
            continue
        if line.startswith("make compare"):
            ids = sorted(clone.tracks())
            emb = np.random.default_rng(0).standard_normal((len(ids), 4))
            np.savez(clone.folder / "other.npz", ids=np.array(ids), emb=emb)
        output = run(clone, line, monkeypatch)
        if line == "make repro":
            assert "reports/evaluation.html" in output.splitlines()[-1]
            commit(clone, "a run")
        if line.startswith("dvc exp run"):
            # Each row has the old value, the new one and the difference.
            rows = re.findall(r"^metrics/\S+.*$", output, flags=re.MULTILINE)
            assert rows
            assert all(len(re.findall(r" -?\d+\.\d+", row)) == 3 for row in rows)
    assert (clone.folder / "reports" / "query.html").is_file()
    assert ids, "no line added a system"


def test_the_python_block_works(clone, monkeypatch):
    [block] = [block for block in BLOCKS if kind_of(block) == "python"]
    (clone.folder / "block.py").write_text("\n".join(block))
    run(clone, "python block.py", monkeypatch)
    os.remove(clone.folder / "block.py")


@pytest.mark.parametrize(
    "setting",
    [
        "train.positives.tags.genre=3",
        "+train.positives.tags.mood=0.5",
        "index.weights.tempo=0.3",
        "index.hubs.share=2.0",
        "search.diversity_pool=3",
        "evaluate.robustness.queries=5",
    ],
)
def test_every_documented_key_can_be_set_by_dvc(clone, monkeypatch, setting):
    run(clone, f"dvc exp run --queue -S '{setting}'", monkeypatch)
    run(clone, "dvc exp remove --queue", monkeypatch)
