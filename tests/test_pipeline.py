"""The notebooks, dvc.yaml and params.yaml hold together, and the pipeline runs as promised."""

import ast
import contextlib
import html.parser
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import yaml
from imports import dependencies, notebook_source
from project import RATE, Project, tone, write_music, write_table

from simlib.catalogue import TRIPLETS_FILE, append_triplet
from simlib.cli import sections

ROOT = Path(__file__).resolve().parents[1]
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
STAGES = [name for name in PIPELINE["stages"] if name != "notebooks"]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


# --- what is written down ------------------------------------------------------------------


def test_every_section_of_the_parameters_has_its_settings():
    assert set(PARAMS) == set(sections())
    for name, section in sections().items():
        section.of(PARAMS[name])


@pytest.mark.parametrize("stage", STAGES)
def test_a_parameters_cell_is_what_its_stage_declares_and_params_yaml_says(stage):
    cells = json.loads((ROOT / "notebooks" / f"{stage}.ipynb").read_text())["cells"]
    (cell,) = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    tree = ast.parse("".join(cell["source"]))
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body}
    expected = {}
    for name in PIPELINE["stages"][stage]["params"]:
        section, _, key = name.partition(".")
        # Of `train.backbones`, the cell has the section with this key alone.
        expected[section] = {key: PARAMS[section][key]} if key else PARAMS[section]
    assert values == expected


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_exactly_the_modules_that_its_notebook_imports(stage):
    notebook = f"notebooks/{stage}.ipynb"
    declared = PIPELINE["stages"][stage]["deps"]
    assert f"notebooks/.stripped/{stage}.ipynb" in declared
    assert notebook in PIPELINE["stages"]["notebooks"]["deps"]
    assert {d for d in declared if d.startswith("simlib/")} == dependencies(ROOT / notebook)
    assert "data" not in declared


def test_another_network_in_the_folder_of_backbones_is_extracted_with():
    assert "backbones" in PIPELINE["stages"]["extract"]["deps"]


def test_editing_the_evaluation_retrains_nothing():
    assert "simlib/evaluation" in PIPELINE["stages"]["evaluate"]["deps"]
    for stage in ("extract", "train", "index"):
        assert "simlib/evaluation" not in PIPELINE["stages"][stage]["deps"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_papermill_where_the_reader_sees_it(stage):
    commands = " ".join(PIPELINE["stages"][stage]["cmd"])
    notebook = f"notebooks/.stripped/{stage}.ipynb"
    if stage == "evaluate":  # A small catalogue gets another one.
        notebook = '"$(simlib evaluation-notebook)"'
    assert f"papermill {notebook} reports/notebooks/{stage}.ipynb" in commands
    assert "-f params.yaml -k python3" in commands


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_define_nothing(name):
    tree = ast.parse(notebook_source(ROOT / "notebooks" / f"{name}.ipynb"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    assert not [node.name for node in ast.walk(tree) if isinstance(node, kinds)]


# --- the pipeline on a small catalogue ---------------------------------------------------------

# With one tag column there are no other tags to rank by.
SYSTEMS = {"simlib", "untrained", "pretrained", "musicnn", "vgg", "mfcc", "random"}
EVIL_TITLE = "<img src=x onerror=alert(1)>"
EVIL_ARTIST = "<script>alert(2)</script>"
EVIL_FILE = "$(touch pwned).flac"


def write_broken(folder):
    """Write one entry of every kind that cannot be used; return {name: part of its cause}."""
    good = tone(2, 330, 0.1, 1)
    (folder / "empty.wav").touch()
    sf.write(folder / "whole.flac", good, RATE)
    whole = (folder / "whole.flac").read_bytes()
    (folder / "whole.flac").unlink()
    (folder / "truncated.flac").write_bytes(whole[: len(whole) // 2])
    (folder / "text.mp3").write_text("These are words, not music.\n" * 50)
    sf.write(folder / "silent.wav", np.zeros(RATE * 2), RATE)
    good[RATE] = np.nan
    sf.write(folder / "nan.wav", good, RATE, subtype="FLOAT")
    sf.write(folder / "short.wav", tone(0.05, 330, 0.1, 1), RATE)
    sf.write(folder / "channels.wav", tone(2, 330, 0.1, 1), RATE)
    raw = bytearray((folder / "channels.wav").read_bytes())
    raw[22:24] = b"\0\0"
    (folder / "channels.wav").write_bytes(raw)
    (folder / "x.wav").mkdir()
    os.mkfifo(folder / "pipe.wav")
    (folder / "dangling.wav").symlink_to("nowhere.wav")
    return {
        "empty.wav": "empty", "truncated.flac": "truncated", "text.mp3": "cannot be decoded",
        "silent.wav": "silent", "nan.wav": "not numbers", "short.wav": "shorter",
        "channels.wav": "", "x.wav": "folder", "pipe.wav": "regular", "dangling.wav": "dangling",
    }  # fmt: skip


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """A folder of music, 30 recordings and one of everything broken, with a table."""
    folder = tmp_path_factory.mktemp("music")
    write_music(folder / "audio")
    first = min((folder / "audio").rglob("*.flac"))
    shutil.move(first, first.with_name(EVIL_FILE))
    write_table(folder, {"song 1-0": EVIL_TITLE, "Artist 03": EVIL_ARTIST})
    return folder, write_broken(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory, music):
    """The project after `make catalogue` and `make repro` on that folder."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.make("catalogue", f"FROM={music[0]}")
    project.output = project.make("repro")
    project.undisturbed = made(project)
    return project


def made(project):
    """What a run measured, and what it keeps for the next one, as bytes."""
    paths = [project.folder / "metrics" / "evaluation.json"]
    paths += sorted((project.folder / "embeddings").rglob("*.npy"))
    return {path.relative_to(project.folder): path.read_bytes() for path in paths}


def embedded(project):
    """How many recordings the last run of the index embedded, as its progress bar says."""
    text = (project.folder / "reports" / "notebooks" / "index.ipynb").read_text()
    counts = re.findall(r"embedding: 100%[^\r\n]*? (\d+)/\d+ \[", text)
    return int(counts[-1]) if counts else 0


def stages_run(output):
    """Return the stages whose notebooks papermill executed."""
    return re.findall(r"^> papermill .* reports/notebooks/(\w+)\.ipynb", output, re.MULTILINE)


def test_repro_runs_every_stage_and_ends_with_the_report(project):
    assert stages_run(project.output) == STAGES
    last = project.output.strip().splitlines()[-1]
    assert last == f"The report: {project.folder}/reports/evaluation.html"
    assert (project.folder / "reports" / "evaluation.html").is_file()


def test_a_second_repro_runs_nothing(project):
    assert not stages_run(project.make("repro"))


def test_verifying_reads_every_file_and_changes_nothing(project):
    os.utime(min((project.folder / "data" / "audio").rglob("*.flac")))
    output = project.make("repro", "VERIFY=1")
    assert stages_run(output) == ["extract"]
    assert "features computed for 0" in output
    assert not stages_run(project.make("repro"))


def test_a_judgement_reruns_no_stage(project):
    append_triplet(project.folder / "data", *sorted(project.tracks())[:3])
    output = project.make("repro")
    (project.folder / "data" / TRIPLETS_FILE).unlink()
    assert not stages_run(output)


def test_what_is_broken_stays_outside_with_its_row(project, music):
    rejected = project.rejected()
    for name, cause in music[1].items():
        (path,) = [p for p in rejected if p.endswith(name)]
        assert cause in rejected[path]
    assert len(project.tracks()) == 30
    assert "30 recordings" in (project.folder / "reports" / "evaluation.html").read_text()


def test_the_metrics_follow_the_contract(project):
    report = project.evaluation()
    assert set(report) == SYSTEMS
    for system, entry in report.items():
        assert set(entry["genre_ndcg@10"]) == {"value", "low", "high", "n"}
        assert entry["genre_ndcg@10"]["low"] <= entry["genre_ndcg@10"]["value"]
        assert "value" in entry["hub_skew@10"]
        assert ("simlib_lead" in entry) == (system != "simlib")


class _Page(html.parser.HTMLParser):
    """Collects what a browser would fetch or run."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags, self.handlers = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_the_report_needs_nothing_and_runs_nothing(project):
    text = (project.folder / "reports" / "evaluation.html").read_text()
    page = _Page(text)
    assert "script" not in page.tags
    assert not page.handlers
    assert {link.partition(":")[0] for link in page.links if not link.startswith("#")} == {"data"}
    assert "@import" not in text
    assert "Content-Security-Policy" in text
    assert page.tags.count("audio") > 10
    assert "def " not in text and "import " not in text, "code is hidden"


def test_file_names_and_titles_do_nothing(project):
    assert not list(project.folder.rglob("pwned"))
    assert any("pwned" in name for name in project.tracks())
    output = project.run("simlib", "query", "Artist 01/song 1-0")
    assert "0.9" in output or "rank" in output


def test_queries_by_id_by_file_and_from_python(project, tmp_path):
    listed = json.loads(project.run("simlib", "query", "Artist 02/song 2-1", "--json", "-k", "5"))
    assert [row["rank"] for row in listed] == [1, 2, 3, 4, 5]
    assert "Artist 02/song 2-1" not in [row["track_id"] for row in listed]
    outside = tmp_path / "outside.mp3"
    copy = project.folder / "data" / "audio" / "Artist 02" / "song 2-1.flac"
    sf.write(outside, sf.read(copy)[0], RATE)
    found = json.loads(project.run("simlib", "query", str(outside), "--json"))
    assert found[0]["track_id"] == "Artist 02/song 2-1"
    lines = "import simlib; print(simlib.query('Artist 02/song 2-1', k=5).to_json())"
    table = json.loads(project.run("python", "-c", lines))
    assert list(table["track_id"].values()) == [row["track_id"] for row in listed]


def test_files_are_embedded_before_anything_was_trained(project, tmp_path):
    fresh = Project(tmp_path / "fresh")
    music = project.folder / "data" / "audio" / "Artist 02"
    fresh.run("simlib", "embed", str(music), "--out", "embedded.npz")
    with np.load(fresh.folder / "embedded.npz", allow_pickle=False) as arrays:
        assert arrays["ids"].tolist() == ["song 2-0", "song 2-1", "song 2-2"]
        np.testing.assert_allclose(np.linalg.norm(arrays["emb"], axis=1), 1, atol=1e-5)
        assert arrays["sim"].shape == (3, 3)


def test_music_without_tags_begins_with_the_pretrained_weights(tmp_path):
    """The network at its real size, which the weights fit; nothing but sound to learn from."""
    for number in range(8):
        sound = tone(8, 220 * 2 ** (number / 5), 0.1 * (number % 4), number)
        path = tmp_path / "my $music" / f"{number}.flac"
        path.parent.mkdir(exist_ok=True)
        sf.write(path, sound, RATE)
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project", {"split": {"test": 0.5, "validation": 0.2}})
    project.set({"train": {"epochs": 2, "segments_per_track": 1}})
    project.make("catalogue", f"FROM={tmp_path / 'my $music'}")
    project.make("repro")
    page = (project.folder / "reports" / "evaluation.html").read_text()
    assert "began with the weights in pretrained/" in page
    report = project.evaluation()
    assert "is all that can be measured" in page
    assert set(report) == SYSTEMS
    assert set(report["simlib"]) == {"excerpt_mrr", "excerpt_hit@10"}


def test_two_files_end_with_a_search_and_an_overview_that_says_what_was_not_done(tmp_path):
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project", {"split": {"test": 0.9, "validation": 0.05}})
    write_music(tmp_path / "music", artists=1, each=2)
    project.make("catalogue", f"FROM={tmp_path / 'music'}")
    project.make("repro")
    report = (project.folder / "reports" / "evaluation.html").read_text()
    assert "Nothing could be trained: the split leaves" in report
    assert "Nothing was measured: of 1 artist(s), the split leaves" in report
    assert project.evaluation() == {}
    first, second = sorted(project.tracks())
    found = json.loads(project.run("simlib", "query", first, "--own-artist", "--json"))
    assert [row["track_id"] for row in found] == [second]


def test_a_file_that_is_no_audio_is_one_line_and_exit_code_2(project, tmp_path):
    (tmp_path / "words.mp3").write_text("not music " * 100)
    done = subprocess.run(
        ["simlib", "query", str(tmp_path / "words.mp3")], cwd=project.folder,
        env=project.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    ours = [line for line in done.stderr.splitlines() if line.startswith("simlib:")]
    assert len(ours) == 1 and "words.mp3" in ours[0] and "Traceback" not in done.stderr


def test_an_unknown_key_is_one_line_that_names_it(project):
    path = project.folder / "params.yaml"
    before = path.read_text()
    path.write_text(before.replace("  epochs:", "  epoch:"))
    output = project.make("repro", succeeds=False)
    path.write_text(before)
    (line,) = [line for line in output.splitlines() if line.startswith("simlib:")]
    assert "section train" in line and "'epoch'" in line and "did you mean 'epochs'?" in line


def test_running_the_notebooks_by_hand_makes_no_stage_stale(project):
    for stage in STAGES:
        project.run(
            "jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace",
            f"notebooks/{stage}.ipynb",
        )  # fmt: skip
    # What editors note beside outputs: folded cells, slides, the interpreter, a table of contents.
    path = project.folder / "notebooks" / "train.ipynb"
    notebook = json.loads(path.read_text())
    notebook["metadata"] |= {"vscode": {"interpreter": {"hash": "ab"}}, "toc": {}}
    for cell in notebook["cells"]:
        cell["metadata"] |= {"jupyter": {"source_hidden": True}, "editable": True}
        cell["metadata"] |= {"slideshow": {"slide_type": ""}, "vscode": {"languageId": "python"}}
    path.write_text(json.dumps(notebook, indent=4))
    assert not stages_run(project.run("dvc", "repro"))
    assert not stages_run(project.make("repro"))


def test_a_killed_run_goes_on_to_the_same_figures(project, tmp_path):
    """SIGKILL to everything during extraction and again during training."""
    other = Project(tmp_path / "project")
    shutil.copytree(project.folder / "data", other.folder / "data")
    other.run("dvc", "add", "--quiet", "data")

    def kill_once(happens):
        running = subprocess.Popen(
            ["make", "--old-file=.venv/.ready", "repro"], cwd=other.folder, env=other.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        while running.poll() is None and not happens():
            time.sleep(0.02)
        assert running.poll() is None, "it ended before it could be killed"
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        # DVC's locks count until the system has cleared the killed processes away.
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.killpg(running.pid, 0)
                time.sleep(0.02)

    kill_once(lambda: len(list(other.folder.glob("features/log_mel/*.npy"))) > 3)
    kill_once(lambda: (other.folder / ".checkpoints" / "train.safetensors").exists())
    other.make("repro")
    assert len(project.undisturbed) > 10
    assert made(other) == project.undisturbed


def test_another_system_joins_the_comparison(project, tmp_path):
    ids = np.array(sorted(project.tracks()))
    vectors = np.random.default_rng(0).standard_normal((len(ids), 4))
    np.savez(tmp_path / "other.npz", ids=ids, emb=vectors)
    project.make("compare", f"FILE={tmp_path / 'other.npz'}")
    assert stages_run(project.make("repro")) == ["evaluate"]
    assert "genre_ndcg@10" in project.evaluation()["other"]["simlib_lead"]
    # The other system knows nothing of the music that a later test adds.
    (project.folder / "comparisons" / "other.npz").unlink()


def test_new_music_grows_the_index_without_training(project):
    weights = project.folder / "models" / "encoder.safetensors"
    before = weights.read_bytes()
    # Of these two, one falls to the validation artists and one to the training artists.
    write_music(project.folder / "data" / "audio", artists=2, each=5, first=51)
    gone = project.folder / "data" / "audio" / "Artist 04" / "song 4-2.flac"
    gone.unlink()
    output = project.make("grow")
    assert stages_run(output) == ["extract", "index", "evaluate"]
    assert "features computed for 10" in output
    assert weights.read_bytes() == before
    assert embedded(project) == 10
    assert {"Artist 51/song 51-0", "Artist 52/song 52-4"} <= project.tracks()
    assert "Artist 04/song 4-2" not in project.tracks()
    assert any(path.endswith("song 4-2.flac") for path in project.rejected())
    assert len(list((project.folder / "features" / "log_mel").iterdir())) == 39
    assert stages_run(project.make("repro")) == ["train", "index", "evaluate"]
