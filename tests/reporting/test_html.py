import base64
import io
import re

import nbformat
import numpy as np
import pandas as pd
import pytest
import samples
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from page import EVIL, Page

from simlib.core import SimlibError
from simlib.reporting import (
    PLAYER_RATE,
    audio_player,
    change_block,
    export_report,
    headline_block,
    html_table,
    judgements_block,
    player_excerpt,
    query_block,
    rejected_block,
    summary_block,
    track_block,
    track_name,
)


def decoded(player):
    """Decode the audio of a player."""
    [source] = Page(player).values("src")
    prefix = "data:audio/mpeg;base64,"
    assert source.startswith(prefix)
    return sf.read(io.BytesIO(base64.b64decode(source.removeprefix(prefix))))


# --- players ---------------------------------------------------------------------------------


def test_a_player_carries_the_middle_of_a_recording(tmp_path):
    tones = [samples.tone(4, f, 22050) for f in (300, 500, 900)]
    path = samples.write(tmp_path / "a.wav", np.concatenate(tones), 22050)
    player = audio_player(path, seconds=3.0)
    assert Page(player).tags == ["audio"]
    sound, rate = decoded(player)
    assert rate == PLAYER_RATE
    assert len(sound) / rate == pytest.approx(3.0, abs=0.1)
    assert samples.peak_frequency(sound, rate) == pytest.approx(500, abs=2)
    late, _ = decoded(audio_player(path, start=9.0, seconds=2.0))
    assert samples.peak_frequency(late, rate) == pytest.approx(900, abs=2)


def test_an_excerpt_of_a_short_recording_is_all_of_it_faded(tmp_path):
    path = samples.write(tmp_path / "a.wav", samples.tone(1, rate=22050), 22050)
    sound = player_excerpt(path)
    assert len(sound) == 22050
    assert sound[0] == sound[-1] == 0


def test_what_cannot_be_played_becomes_a_sentence(tmp_path):
    path = tmp_path / "a.wav"
    path.write_text("no audio")
    page = Page(audio_player(path))
    assert page.tags == ["em"]
    assert "cannot be decoded" in page.text
    assert "is not there" in audio_player(tmp_path / "absent.wav")


# --- tables ----------------------------------------------------------------------------------

untrusted = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])) | (
    st.sampled_from([EVIL, "<script>", "</td>", "<b>&amp;", "&lt;b&gt;", "'\"", "<!--"])
)


@given(st.lists(untrusted, min_size=1, max_size=3, unique=True), st.lists(untrusted, max_size=4))
def test_every_cell_and_name_of_a_table_is_escaped(names, cells):
    frame = pd.DataFrame({name: pd.array(cells, dtype="str") for name in names})
    page = Page(html_table(frame))
    assert set(page.tags) <= {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert page.attributes == [("div", "class", "scroll")]
    assert page.cells == names + [cell for cell in cells for _ in names]


def test_a_table_shows_numbers_and_raw_columns_as_meant():
    frame = pd.DataFrame({"n": [1, 2], "x": [0.12345, np.nan], "listen": ["<b>♪</b>", EVIL]})
    found = html_table(frame, raw=["listen"])
    page = Page(found)
    assert page.cells == ["n", "x", "listen", "1", "0.123", "♪", "2", "", ""]
    assert "<td><b>♪</b></td>" in found
    assert '<td class="number">0.123</td>' in found
    assert EVIL in found, "raw columns are of our own making"


# --- blocks ----------------------------------------------------------------------------------


def test_a_query_block_escapes_all_that_a_catalogue_says(tmp_path):
    samples.write(tmp_path / "audio" / "a.wav", samples.tone(1, rate=22050), 22050)
    query = pd.Series(
        {
            "track_id": "a",
            "title": EVIL,
            "artist": EVIL,
            "path": "audio/a.wav",
            "genre": f"x;{EVIL}",
        }
    )
    neighbours = pd.DataFrame(
        {
            "rank": [1],
            "path": ["audio/gone.wav"],
            "title": [EVIL],
            "artist": [EVIL],
            "similarity": [0.5],
            "shares": [EVIL],
        }
    )
    found = query_block(query, neighbours, tmp_path, ["genre"])
    page = Page(found)
    assert "img" not in page.tags
    assert page.tags.count("audio") == 1
    assert page.text.count(EVIL) == 6
    assert "x, " in page.text
    assert "is not there" in page.text, "a neighbour whose file is gone"


def test_a_change_block_holds_both_lists_and_what_became_of_their_entries(tmp_path):
    samples.write(tmp_path / "audio" / "a.wav", samples.tone(1, rate=22050), 22050)
    track = {"track_id": "a", "title": EVIL, "artist": "A", "path": "audio/a.wav", "genre": "x"}
    entry = {"rank": 1, "path": "audio/a.wav", "title": EVIL, "artist": "B", "similarity": 0.5}
    before = pd.DataFrame([entry | {"shares": "x", "after": "went"}])
    after = pd.DataFrame([entry | {"shares": "", "before": "was 3"}])
    page = Page(change_block(pd.Series(track), before, after, tmp_path, ["genre"]))
    assert "img" not in page.tags
    assert page.tags.count("audio") == 3
    assert page.text.index("Before") < page.text.index("went") < page.text.index("After")
    assert page.cells == [
        "rank", "listen", "title", "artist", "similarity", "shares", "after",
        "1", "", EVIL, "B", "0.500", "x", "went",
        "rank", "listen", "title", "artist", "similarity", "shares", "before",
        "1", "", EVIL, "B", "0.500", "", "was 3",
    ]  # fmt: skip


def test_judgements_are_laid_out():
    agreement = {"value": 0.7, "low": 0.6, "high": 0.8, "n": 40}
    found = {
        "agreement": {"simlib": agreement, "mfcc": agreement | {"value": 0.5}},
        "left_out": 2,
    }  # fmt: skip
    page = Page(judgements_block(found))
    assert "img" not in page.tags
    assert page.cells == [
        "system", "agreement", "low", "high", "judgements",
        "simlib", "0.700", "0.600", "0.800", "40",
        "mfcc", "0.500", "0.600", "0.800", "40",
    ]  # fmt: skip
    assert "2 more are on recordings that are not in the catalogue" in page.text


def test_without_judgements_there_is_a_sentence():
    assert "no judgement" in Page(judgements_block(None)).text


def test_a_headline_is_plain_text():
    page = Page(headline_block(f"Since {EVIL}"))
    assert "img" not in page.tags
    assert page.text == f"Since {EVIL}"


@pytest.mark.parametrize(
    ("title", "artist", "shown"),
    [("T", "A", "T – A"), ("T", "", "T"), ("", "A", "id – A"), ("", "", "id")],
)
def test_a_track_is_named_by_title_artist_or_id(title, artist, shown):
    found = track_name({"track_id": "id", "title": title, "artist": artist})
    assert found == shown


def test_a_tracks_heading_is_escaped():
    page = Page(track_block({"track_id": "id", "title": EVIL, "artist": "&"}))
    assert page.tags == ["h3"]
    assert page.text == f"{EVIL} – &"


def test_the_summary_opens_with_the_headline_and_escapes_it():
    found = summary_block(f"Behind {EVIL}", [EVIL, "b"], 12, 3)
    page = Page(found)
    assert "img" not in page.tags
    assert page.tags.count("li") == 2
    assert f"Behind {EVIL}" in page.text
    assert "12 recordings by 3 artists" in page.text


def test_rejections_are_counted_by_cause_and_listed_up_to_fifty():
    assert "all 7 recordings are in" in rejected_block(pd.DataFrame(), 7)
    frame = pd.DataFrame(
        {
            "path": [f"{i}{EVIL}" for i in range(60)],
            "cause": ["is empty"] * 40 + ["is silent"] * 20,
            "hint": ["replace it"] * 60,
        }
    )
    found = rejected_block(frame, 7)
    page = Page(found)
    assert "60 entries were left out, 7 recordings are in" in page.text
    assert page.cells[:6] == ["cause", "entries", "is empty", "40", "is silent", "20"]
    assert f"49{EVIL}" in page.text
    assert f"50{EVIL}" not in page.text
    assert "rest is in reports/rejected.csv" in page.text
    assert "img" not in page.tags
    assert "rest is in" not in rejected_block(frame.head(50), 7)


# --- pages -----------------------------------------------------------------------------------


def executed(*outputs, title="# The report"):
    return new_notebook(
        cells=[
            new_markdown_cell(title),
            new_code_cell("SECRET_CODE = 1", outputs=list(outputs), execution_count=1),
            new_markdown_cell("Texts with $x^2$ after it."),
        ]
    )


def export(tmp_path, notebook):
    nbformat.write(notebook, tmp_path / "run.ipynb")
    export_report(tmp_path / "run.ipynb", tmp_path / "out" / "page.html")
    return (tmp_path / "out" / "page.html").read_text(encoding="utf-8")


def shown(**data):
    return new_output("display_data", data={k.replace("_", "/"): v for k, v in data.items()})


def test_a_page_needs_no_network_no_kernel_and_no_script(tmp_path):
    pixel = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()
    content = export(
        tmp_path,
        executed(
            shown(text_html='<audio controls src="data:audio/mpeg;base64,AAAA"></audio>'),
            shown(image_png=pixel),
            shown(text_html=html_table(pd.DataFrame({"title": [EVIL]}))),
            new_output("stream", name="stdout", text="12 recordings\n"),
        ),
    )
    page = Page(content)
    assert content.startswith("<!doctype html>")
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(page.tags)
    for _, name, value in page.attributes:
        assert not name.startswith("on"), "an event handler"
        if name in ("src", "href"):
            assert value.startswith(("data:", "#")), value
    assert not re.search(r"@import|url\(", content)
    assert "require.js" not in content
    assert "mathjax" not in content.lower()
    assert f"data:image/png;base64,{pixel}" in content.replace("\n", "")
    assert "data:audio/mpeg;base64,AAAA" in content
    assert "12 recordings" in page.text
    assert EVIL in page.text


def test_a_page_forbids_whatever_it_does_not_need(tmp_path):
    page = Page(export(tmp_path, executed()))
    assert ("meta", "http-equiv", "Content-Security-Policy") in page.attributes
    [policy] = [v for v in page.values("content") if "default-src" in v]
    rules = dict(rule.split(maxsplit=1) for rule in policy.split("; "))
    assert rules.pop("default-src") == "'none'"
    assert rules == {
        "img-src": "data:",
        "media-src": "data:",
        "style-src": "'unsafe-inline'",
    }
    head = page.tags[: page.tags.index("title")]
    assert head.count("meta") == 3, "the policy stands before anything that it forbids"


def test_code_errors_of_tools_and_progress_bars_are_left_out(tmp_path):
    content = export(
        tmp_path,
        executed(
            new_output("stream", name="stderr", text="SOME_WARNING"),
            new_output(
                "display_data",
                data={"application/vnd.jupyter.widget-view+json": {}, "text/plain": "A_BAR"},
            ),
            new_output("stream", name="stdout", text="a result"),
        ),
    )
    assert "a result" in content
    for hidden in ("SECRET_CODE", "SOME_WARNING", "A_BAR", "In&nbsp;[", "Out["):
        assert hidden not in content


def test_text_that_a_cell_printed_is_escaped(tmp_path):
    page = Page(export(tmp_path, executed(new_output("stream", name="stdout", text=EVIL))))
    assert "img" not in page.tags
    assert EVIL in page.text


def test_the_title_is_the_first_heading_escaped(tmp_path):
    content = export(tmp_path, executed(title=f"## Mine & yours {EVIL}\nmore"))
    assert "<title>Mine &amp; yours &lt;img src=x onerror=alert(1)&gt;</title>" in content


@pytest.mark.parametrize("title", ["", "\n\nwords"])
def test_a_notebook_that_begins_with_nothing_is_a_page_too(tmp_path, title):
    assert "Texts with" in export(tmp_path, executed(title=title))


def test_the_same_notebook_gives_the_same_bytes(tmp_path):
    notebook = executed(shown(text_html="<b>x</b>"))
    assert export(tmp_path, notebook) == export(tmp_path, notebook)


@pytest.mark.parametrize("content", [None, "", "garbage", "{}", "[]", '{"cells": 3}'])
def test_what_is_no_notebook_is_refused_and_no_page_written(tmp_path, content):
    if content is not None:
        (tmp_path / "run.ipynb").write_text(content)
    with pytest.raises(SimlibError, match="cannot be read.*run 'make repro'"):
        export_report(tmp_path / "run.ipynb", tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
