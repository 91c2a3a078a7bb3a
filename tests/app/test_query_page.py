"""The page that answers one query: its blocks, its figures, and `make report` as a whole."""

import ast
import base64
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
import samples
import soundfile as sf
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from page import EVIL, Page

from simlib.app import (
    Answer,
    answer_query,
    answer_words,
    bars,
    headline_of_answer,
    query_map,
    query_record,
    results_block,
    spectrogram,
    title_block,
)
from simlib.core import Project, SimlibError
from simlib.index import project_to_plane, save_projection
from simlib.reporting import (
    MATCHED,
    MEL_COLUMNS,
    clock,
    export_report,
    marked_map,
    matched_excerpts_figure,
)
from simlib.search import Searcher

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "<script>document.title = 'run'</script>"
MATHS = "$\\frac{1}{"
# A name that a shell, make, HTML and mathematics would each make something else of.
HOSTILE_FILE = 'it\'s $b; "ü" $(shell touch pwned) `touch pwned` <b> $\\x$ -x.wav'

pytest_plugins = ["browser"]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def project(built, tmp_path_factory):
    """The small project with a map, and with a catalogue that says nothing but evil."""
    folder = tmp_path_factory.mktemp("evil") / "project"
    shutil.copytree(built.root, folder)
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    plane = project_to_plane(built.index.vectors(), built.index.settings.map)
    save_projection(plane, built.index.neighbours.keys, folder / "index")
    tracks = pd.read_parquet(folder / "index" / "tracks.parquet")
    tracks["title"] = [f"{title} {EVIL} {MATHS}" for title in tracks["title"]]
    tracks["artist"] = [f"{artist} {SCRIPT}" for artist in tracks["artist"]]
    tracks["genre"] = [f"{genre} {SCRIPT}{MATHS}" for genre in tracks["genre"]]
    tracks.astype(dict.fromkeys(("title", "artist", "genre"), "str")).to_parquet(
        folder / "index" / "tracks.parquet"
    )
    return folder


@pytest.fixture(scope="module")
def answered(project):
    """A track of the catalogue, answered."""
    return answer_query(Searcher(project), "s03", 4)


def found_of(**changes):
    """A ranked list of one."""
    row = {
        "rank": 1, "track_id": "a", "title": "A", "artist": "B", "tags": "calm", "auto_tags": "",
        "closer_than": 98.76, "query": "Q", "query_start": 62.0, "query_end": 70.4, "start": 4.0,
        "end": 6.0, "same_seconds": 0.0, "near_duplicate": False, "why": {"sound": 0.5},
    }  # fmt: skip
    found = pd.DataFrame([row | changes])
    found.attrs |= {"no_close_match": False, "weights": {"sound": 1.0}}
    return found


def sounds(page):
    """Decode all that the players of a page carry."""
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("audio", "src")]
    return [sf.read(io.BytesIO(base64.b64decode(s.partition(",")[2]))) for s in sources]


def test_automatic_tags_are_marked_as_such(tagged):
    answer = answer_query(Searcher(tagged.root), "s03", 11)
    title = Page(title_block(answer)).text
    assert "automatic tags: punk, female vocalists, sad" in title
    results = Page(results_block(answer)).text
    carriers = (answer.found["auto_tags"] != "").sum()
    assert 0 < carriers < len(answer.found)
    assert results.count("automatic tags: ") == carriers
    path = tagged.root / "data" / tagged.index.tracks["path"][3]
    outside = answer_query(Searcher(tagged.root), path, 1)
    assert "automatic" not in title_block(outside), "this model has no backbones"


# --- the answer ------------------------------------------------------------------------------


def test_a_track_is_answered_with_its_file_and_the_rows_of_the_list(answered, project):
    assert answered.path.is_file() and answered.path.is_relative_to(project / "data")
    assert list(answered.searcher.tracks["track_id"].iloc[answered.rows]) == list(
        answered.found["track_id"]
    )
    assert answered.played == (0.0, pytest.approx(answered.query.end)), "it is short: all of it"


def test_a_longer_list_than_a_page_holds_is_refused(project):
    with pytest.raises(SimlibError, match="k = 51: is more than fits a page; choose at most 50"):
        answer_query(Searcher(project), "s03", 51)


# --- blocks ----------------------------------------------------------------------------------


def test_the_title_names_the_query_and_nothing_in_it_runs(answered):
    page = Page(title_block(answered))
    assert set(page.tags) == {"h1", "p"}
    for text in ("Song 3", EVIL, MATHS, "Artist 1", SCRIPT, "drums", "0:03"):
        assert text in page.text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Most similar is “A” by B, closer than 98.8% of unrelated pairs: its 0:04–0:06 sound "
             "like 1:02–1:10 of this recording."),
        ({"title": "", "artist": ""}, "Most similar is “a”, closer"),
        ({"near_duplicate": True}, "The catalogue has 1:02–1:10 of this very recording: 0:04–0:06 "
                                   "of “A” by B."),
    ],
)  # fmt: skip
def test_the_headline_is_the_first_of_the_list(changes, expected):
    assert expected in headline_of_answer(found_of(**changes))


def test_the_headline_says_that_nothing_is_there():
    assert "no other recording" in headline_of_answer(found_of().head(0))
    found = found_of()
    found.attrs["no_close_match"] = True
    assert headline_of_answer(found) == "Nothing in the catalogue is close to this."


def listed(answered, **changes):
    found = answered.found.assign(**changes)
    found.attrs.update(answered.found.attrs)
    return Page(results_block(replace(answered, found=found)))


def test_each_result_is_shown_and_nothing_in_it_runs(answered):
    page = listed(answered)
    assert set(page.tags) <= {"div", "h3", "span", "p", "audio", "b", "i"}
    assert page.tags.count("audio") == page.tags.count("h3") == len(answered.found) == 4
    for hit in answered.found.itertuples():
        assert f"{hit.title} – {hit.artist}" in page.text
        assert hit.tags in page.text
    assert "near-duplicate" not in page.text.lower()
    assert page.text.count("Closer than") == 4
    assert page.text.count("genre") >= 4 and page.text.count("tempo") == 4


def test_a_result_names_the_seconds_that_match(answered):
    page = listed(answered, start=61.0, end=69.2, query_start=3.0, query_end=11.0)
    assert page.text.count("Its 1:01–1:09 sound like 0:03–0:11 of the query.") == 4


def test_near_duplicates_and_shared_excerpts_are_marked(answered):
    marks = [(True, 12.4), (False, 5.0), (False, 0.0), (False, 0.0)]
    near, same = zip(*marks, strict=True)
    page = listed(answered, near_duplicate=near, same_seconds=same)
    assert "near-duplicate: 12 s are the same recording" in page.text
    assert "5 s are the same recording" in page.text
    assert page.values("class").count("same") == 2


def test_if_nothing_is_close_the_list_is_folded_away(answered, monkeypatch):
    monkeypatch.setitem(answered.found.attrs, "no_close_match", True)
    page = listed(answered)
    assert page.tags[:2] == ["details", "summary"]
    assert "open" not in [name for tag, name, _ in page.attributes if tag == "details"]
    assert "The 4 most similar, all the same" in page.text
    assert page.tags.count("audio") == 4


def test_a_player_begins_where_the_match_does_and_ends_with_it(tmp_path):
    tones = [samples.tone(4, frequency, 22050) for frequency in (300, 500, 900)]
    samples.write(tmp_path / "data" / "audio" / "a.wav", np.concatenate(tones), 22050)
    tracks = pd.DataFrame({"path": ["audio/a.wav"]})
    index = SimpleNamespace(weights={"sound": 1.0})
    searcher = SimpleNamespace(project=Project(tmp_path), tracks=tracks, index=index)
    for start, end, seconds, pitch in ((4.0, 7.0, 3.0, 500), (8.0, 12.0, 4.0, 900), (0, 12, 8, 0)):
        found = found_of(start=start, end=end)
        answered = Answer(searcher, None, None, None, None, found, np.array([0]))
        [(sound, rate)] = sounds(Page(results_block(answered)))
        assert len(sound) / rate == pytest.approx(seconds, abs=0.1)
        if pitch:
            assert samples.peak_frequency(sound, rate) == pytest.approx(pitch, abs=2)


def test_the_bars_show_how_similar_each_aspect_is():
    why = {"sound": 0.25, EVIL: -0.1, "tempo": 0.0, "unused": 0.0}
    weights = {"sound": 0.5, EVIL: 0.4, "tempo": 0.1, "unused": 0.0}
    page = Page(bars(why, weights))
    assert set(page.tags) == {"div", "span", "i"}
    assert page.values("style") == ["width:50%", "width:25%", "width:0%"]
    assert page.values("class").count("less") == 1
    assert page.text == f"sound25{EVIL}−10tempo0"


def test_the_record_names_the_file_but_not_where_it_lies(project, tmp_path):
    path = samples.write(tmp_path / "secret" / "mine.wav", samples.chord(2.0))
    answered = answer_query(Searcher(project), path, 2)
    record = query_record(answered)
    assert "query: mine.wav" in record and "results: 2" in record
    assert "secret" not in record
    content = yaml.safe_load(record)
    assert content["answer"]["query"] == "mine.wav"
    assert content["search"] == samples.SEARCH, "the settings, not what was searched with"
    assert "a file from outside · 0:02" in Page(title_block(answered)).text


# --- figures ---------------------------------------------------------------------------------


def test_each_result_has_its_bar_of_seconds_below_the_spectrogram():
    found = pd.concat([found_of(rank=n, query_start=n, query_end=n + 2) for n in (1, 2)])
    settings = samples.front_end()
    log_mel = samples.log_mel_of("low", round(10 * settings.frame_rate), 0)
    figure = matched_excerpts_figure(log_mel, settings, (5.0, 9.0), found)
    mel, spans = figure.axes
    assert [(bar.get_x(), bar.get_width()) for bar in spans.patches] == [(5, 4), (1, 2), (2, 2)]
    assert [label.get_text() for label in spans.get_yticklabels()] == ["▶", "1", "2"]
    assert mel.get_xlim() == spans.get_xlim() == (0, pytest.approx(10, abs=0.05))
    assert spans.xaxis.get_major_formatter()(65, None) == "1:05"


def test_a_long_list_and_a_long_recording_stay_a_picture_of_some_size():
    found = pd.concat([found_of(rank=n) for n in range(1, 51)])
    settings = samples.front_end()
    log_mel = samples.log_mel_of("high", round(600 * settings.frame_rate), 0)
    mel, spans = matched_excerpts_figure(log_mel, settings, (0.0, 12.0), found).axes
    assert len(spans.patches) == MATCHED + 1
    columns = mel.collections[0].get_array().shape[1]
    assert MEL_COLUMNS / 2 < columns <= MEL_COLUMNS
    assert len(spans.get_xticks()) < 12


def test_the_map_numbers_the_results_in_order_and_draws_any_tag():
    points = np.random.default_rng(0).normal(size=(30, 2))
    column = pd.Series([f"{SCRIPT} {MATHS}", "$a$ $b"] * 15, name="genre")
    figure = marked_map(points, column, points[0], points[1:13])
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    [axes] = figure.axes
    assert [text.get_text() for text in axes.texts] == [str(n) for n in range(1, 13)]
    np.testing.assert_allclose([text.xy for text in axes.texts], points[1:13])
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "the query" in labels and len(labels) == 3
    boxes = [text.get_window_extent() for text in axes.texts]
    apart = [a.overlaps(b) for n, a in enumerate(boxes) for b in boxes[:n]]
    assert not any(apart), "no number covers another"


def test_results_at_one_place_have_their_numbers_all_around():
    points = np.zeros((20, 2))
    column = pd.Series(["x"] * 20, name="genre")
    figure = marked_map(points, column, points[0], points[:15])
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    assert len({tuple(np.round(text.get_position(), 3)) for text in figure.axes[0].texts}) == 15


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (5.99, "0:06"), (59.6, "1:00"), (754, "12:34"), (3723.2, "1:02:03")],
)
def test_time_is_written_as_on_a_player(seconds, shown):
    assert clock(seconds) == shown


def test_an_empty_list_is_an_answer_too(answered):
    found = answered.found.head(0)
    found.attrs["no_close_match"] = False
    empty = replace(answered, found=found, rows=answered.rows[:0])
    assert results_block(empty) == ""
    for picture in (spectrogram(empty), query_map(empty)):
        assert Page(picture).tags == ["img"]


# --- pages -----------------------------------------------------------------------------------


def test_a_page_is_called_by_the_heading_that_a_cell_displays(tmp_path):
    head = new_output("display_data", data={"text/html": "<p>x</p><h1>Mine &lt;b&gt;</h1>"})
    cells = [new_markdown_cell("# Words"), new_code_cell("x", outputs=[head])]
    nbformat.write(new_notebook(cells=cells), tmp_path / "run.ipynb")
    export_report(tmp_path / "run.ipynb", tmp_path / "page.html")
    assert "<title>Mine &lt;b&gt;</title>" in (tmp_path / "page.html").read_text()


def test_the_notebook_has_its_parameters_and_stays_thin():
    cells = json.loads((ROOT / "notebooks" / "query_report.ipynb").read_text())["cells"]
    (cell,) = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    tree = ast.parse("".join(cell["source"]))
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body}
    assert values == {"query": "", "k": 10}


def make(project, *words):
    """Run make in a project; return its exit code and what it printed."""
    ours = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(
        ["make", "--old-file=.venv/.ready", *words], cwd=project, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=ours | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def reported(project, tmp_path_factory):
    """The page that `make report` makes of a file from outside with a hostile name."""
    path = tmp_path_factory.mktemp("some where") / HOSTILE_FILE
    samples.write(path, samples.bursts(6.0, per_second=5, seed=3))
    status, output = make(project, "report", f"QUERY={path}", "K=3")
    assert status == 0, output
    assert output.strip().splitlines()[-1] == f"The report: {project}/reports/query.html"
    assert not list(project.rglob("pwned"))
    return project / "reports" / "query.html"


def test_the_page_is_whole_and_needs_nothing(reported, project):
    content = reported.read_text(encoding="utf-8")
    assert len(content) < 6_000_000
    page = Page(content)
    assert page.tags.count("audio") == 1 + 3
    assert page.tags.count("img") == 2, "spectrogram and map"
    assert all(seconds > 0.4 for seconds in (len(s) / rate for s, rate in sounds(page)))
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(page.tags)
    for _, name, value in page.attributes:
        assert not name.startswith("on"), "an event handler"
        if name in ("src", "href"):
            assert value.startswith(("data:", "#"))
    assert not [c for c in ("http://", "https://", "@import", "url(") if c in content]
    assert "import simlib" not in content, "code is hidden"


def test_the_page_shows_every_name_as_it_is(reported):
    page = Page(reported.read_text(encoding="utf-8"))
    assert page.text.count(HOSTILE_FILE) >= 2, "in its title and at its head"
    assert EVIL in page.text and SCRIPT in page.text and MATHS in page.text
    assert page.text.count("sound like") == 3 + 1, "the matching seconds of each, and the headline"
    assert "Most similar is “Song" in page.text or "Nothing here is close" in page.text
    assert "recordings: 12" in page.text and "faiss-cpu" in page.text


def test_the_page_runs_nothing_and_fits_a_phone(reported, chrome):
    page = chrome.new_page(viewport={"width": 390, "height": 800})
    requested, messages = [], []
    page.on("request", lambda request: requested.append(request.url.partition(":")[0]))
    page.on("console", lambda message: messages.append(message.text))
    page.on("dialog", lambda dialog: messages.append(dialog.message))
    page.goto(reported.as_uri())
    assert page.title() == HOSTILE_FILE
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for number in range(4):
        player = page.locator("audio").nth(number)
        player.evaluate("player => player.play()")
        page.wait_for_timeout(300)
        assert player.evaluate("player => player.currentTime") > 0
    page.close()
    assert set(requested) <= {"file", "data"} and not messages


def test_words_have_a_page_too(project, tagged, tmp_path):
    """The words come from anybody, and the list from automatic tags."""
    root = tmp_path / "project"
    shutil.copytree(project, root, symlinks=True, ignore=shutil.ignore_patterns("reports", "index"))
    shutil.copytree(tagged.root / "index", root / "index")
    tracks = pd.read_parquet(root / "index" / "tracks.parquet")
    tracks.loc[3, ["title", "genre"]] = f"{EVIL} {MATHS}", SCRIPT
    tracks.to_parquet(root / "index" / "tracks.parquet")
    status, output = make(root, "report", "WORDS=female vocals; $(shell touch pwned) -x")
    assert status == 2
    assert "word '$(shell touch pwned) -x': is neither a tag of the catalogue nor an" in output
    assert not list(root.rglob("pwned"))
    status, output = make(root, "report", f"WORDS=punk, {SCRIPT}", "K=2")
    assert status == 0, output
    assert output.strip().splitlines()[-1] == f"The report: {root}/reports/query.html"
    page = Page((root / "reports" / "query.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags and page.tags.count("audio") == 2
    assert EVIL in page.text and SCRIPT in page.text
    assert "automatic tags: punk, female vocalists, sad" in page.text
    assert "punk: 50% of the catalogue" in page.text
    assert "recordings: 12" in page.text
    with pytest.raises(SimlibError, match="k = 51: is more than fits a page"):
        answer_words(Searcher(root), "punk", 51)


def test_without_a_query_or_an_index_one_line_says_what_to_do(project, tmp_path):
    status, output = make(project, "report")
    assert status == 2 and "Name the recording: make report QUERY=path_or_id" in output
    bare = tmp_path / "project"
    left_out = shutil.ignore_patterns("models", "reports")
    shutil.copytree(project, bare, symlinks=True, ignore=left_out)
    status, output = make(bare, "report", "QUERY=s03")
    assert status == 2 and "Traceback" not in output
    [line] = [line for line in output.splitlines() if line.startswith("simlib: ")]
    assert line.endswith("encoder.safetensors: is not there; run 'make repro' to train one")
    assert not (bare / "reports" / "query.html").exists()
