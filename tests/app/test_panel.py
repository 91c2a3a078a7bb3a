import dataclasses
import shutil
from datetime import UTC, datetime

import numpy as np
import pytest
import samples

from simlib.app import SearchPanel
from simlib.index import project_to_plane, save_projection


@pytest.fixture
def panel(built, tmp_path):
    """The panel of a project that a test may change."""
    root = shutil.copytree(built.root, tmp_path / "project")
    plane = project_to_plane(built.index.vectors(), built.index.settings.map)
    save_projection(plane, built.index.neighbours.keys, root / "index")
    return SearchPanel(root)


def ids(panel):
    return panel.results["track_id"].tolist()


def test_nothing_is_shown_before_something_is_chosen(panel):
    assert panel.results is None
    panel.search()
    panel.options.count.value = 3
    assert panel.results is None
    assert panel.list.listing.children == ()


def test_a_choice_is_answered_as_the_searcher_answers(panel):
    panel.chooser.choice.value = "Song 3 – Artist 1 [s03]"
    assert ids(panel) == panel.searcher.query("s03")["track_id"].tolist()
    assert len(panel.list.listing.children) == 5
    assert "<audio" in panel.picker.player.value
    assert all("<audio" in line.player.value for line in panel.list.rows[:5])


@pytest.mark.parametrize(
    ("move", "options"),
    [
        (lambda p: setattr(p.options.count, "value", 2), {"k": 2}),
        (lambda p: setattr(p.options.weights["sound"], "value", 0.0), {"weights": {"sound": 0.0}}),
        (lambda p: setattr(p.options.where, "value", "genre=drums; mood=wild"),
         {"where": ["genre=drums", "mood=wild"]}),
        (lambda p: setattr(p.options.per_artist, "value", 0), {"per_artist": None}),
        (lambda p: setattr(p.options.own_artist, "value", True), {"own_artist": True}),
        (lambda p: setattr(p.options.farthest, "value", True), {"farthest": True}),
        (lambda p: setattr(p.options.diversity, "value", 0.9), {"diversity": 0.9}),
        (lambda p: setattr(p.picker.slider, "value", (0.5, 2.0)), {"start": 0.5, "end": 2.0}),
    ],
)  # fmt: skip
def test_every_control_sets_its_option(panel, move, options):
    panel.choose("s03")
    move(panel)
    weights = {
        name: factor * panel.searcher.index.weights[name]
        for name, factor in options.pop("weights", {}).items()
    }
    expected = panel.searcher.query("s03", weights=weights, **options)
    assert ids(panel) == expected["track_id"].tolist()
    assert ids(panel) != panel.searcher.query("s03")["track_id"].tolist() or "start" in options


def test_queries_are_kept_and_removed(panel):
    panel.choose("s03")
    panel.keep(True)
    panel.choose("s08")
    panel.keep(False)
    expected = panel.searcher.query(["s03"], unlike=["s08"])
    assert ids(panel) == expected["track_id"].tolist()
    assert len(panel.basket.box.children) == 2
    panel.basket.box.children[0].click()
    assert len(panel.basket.box.children) == 1


def test_an_upload_is_searched_with_and_cannot_be_judged(panel, tmp_path):
    path = samples.write(tmp_path / "mine.wav", samples.chord(2.0, 247))
    panel.chooser.upload.value = (
        {"name": "<b>mine</b>.wav", "type": "", "size": 1, "content": memoryview(path.read_bytes()),
         "last_modified": datetime.now(UTC)},
    )  # fmt: skip
    assert ids(panel) == panel.searcher.query(path)["track_id"].tolist()
    assert "&lt;b&gt;mine" in panel.picker.title.value
    assert panel.list.rows[0].up.disabled
    assert set(panel.results["query"]) == {"<b>mine</b>.wav"}
    panel.picker.slider.value = (0.5, 1.5)
    excerpt = panel.searcher.query(panel.searcher.load(path), start=0.5, end=1.5)
    assert ids(panel) == excerpt["track_id"].tolist()


def test_a_broken_upload_is_reported_and_the_list_stays(panel):
    panel.choose("s03")
    before = ids(panel)
    panel.chooser.upload.value = (
        {"name": "x.wav", "type": "", "size": 1, "content": memoryview(b"no music"),
         "last_modified": datetime.now(UTC)},
    )  # fmt: skip
    assert "x.wav: cannot be decoded" in panel.chooser.message.value
    assert ids(panel) == before


def test_another_upload_leaves_the_first_ones_file_alone(panel, tmp_path):
    path = samples.write(tmp_path / "mine.wav", samples.chord(2.0, 247))
    for name, content in (("mine.wav", path.read_bytes()), ("x.wav", b"no music")):
        panel.chooser.upload.value = (
            {"name": name, "type": "", "size": 1, "content": memoryview(content),
             "last_modified": datetime.now(UTC)},
        )  # fmt: skip
    panel.picker.slider.value = (0.5, 1.5)
    assert "cannot" not in panel.chooser.message.value
    assert "<audio" in panel.picker.player.value


def test_the_same_upload_again_is_searched_with_again(panel, tmp_path):
    """The widget reports changes of its value only."""
    path = samples.write(tmp_path / "mine.wav", samples.chord(2.0, 247))
    modified = datetime.now(UTC)
    for name in ("mine.wav", "mine.wav", "copy of mine.wav"):
        panel.choose("s05")
        before = ids(panel)
        panel.chooser.upload.value = (
            {"name": name, "type": "", "size": 1, "content": memoryview(path.read_bytes()),
             "last_modified": modified},
        )  # fmt: skip
        assert name in panel.picker.title.value
        assert ids(panel) != before


def test_a_condition_on_no_column_is_reported(panel):
    panel.choose("s03")
    panel.options.where.value = "<i>x</i>=1"
    assert "there is no column" in panel.chooser.message.value
    assert "<i>" not in panel.chooser.message.value


def test_what_cannot_be_answered_leaves_no_other_answer_to_be_judged(panel):
    panel.choose("s03")
    panel.options.where.value = "gender=x"
    panel.choose("s08")
    assert "Song 8" in panel.picker.title.value
    assert panel.results is None and not panel.list.listing.children
    assert not len(panel.map.rings.x) and not len(panel.map.rings.names)
    panel.options.where.value = ""
    assert ids(panel) == panel.searcher.query("s08")["track_id"].tolist()


def test_conditions_are_put_together_without_knowing_how_to_write_them(panel):
    panel.choose("s03")
    options = panel.options
    assert options.column.options == ("genre", "mood", "artist", "seconds")
    assert options.value.options == ("drums", "tonal")
    options.value.value = "drums"
    options.only.click()
    options.column.value = "artist"
    options.value.value = "Artist 1"
    options.other.click()
    assert options.where.value == "genre=drums; artist!=Artist 1"
    expected = panel.searcher.query("s03", where=["genre=drums", "artist!=Artist 1"])
    assert ids(panel) == expected["track_id"].tolist()
    options.column.value = "seconds"
    assert options.value.options == ()


def test_automatic_tags_are_offered_as_conditions_and_shown(tagged, built, tmp_path):
    root = shutil.copytree(tagged.root, tmp_path / "tagged")
    plane = project_to_plane(built.index.vectors(), built.index.settings.map)
    save_projection(plane, built.index.neighbours.keys, root / "index")
    panel = SearchPanel(root)
    options = panel.options
    options.column.value = "auto_tags"
    assert options.value.options == ("female vocalists", "jazz", "punk", "sad")
    panel.choose("s00")
    options.own_artist.value = True
    options.value.value = "sad"
    options.only.click()
    assert ids(panel) == ["s03"]
    assert "automatic tags: punk, female vocalists, sad" in panel.list.rows[0].text.value


def test_seconds_that_are_kept_are_not_searched_for_twice(panel, monkeypatch):
    requests, answer = [], panel.searcher.answer

    def spied(request):
        requests.append(request)
        return answer(request)

    monkeypatch.setattr(panel.searcher, "answer", spied)
    panel.choose("s03")
    panel.keep(True)
    panel.choose("s08")
    panel.picker.slider.value = (0.5, 1.5)
    panel.keep(False)
    assert [one.name for one in requests[-1].queries] == ["Song 3"]
    assert [(one.name, one.start) for one in requests[-1].unlike] == [("Song 8", 0.5)]


def test_only_a_whole_track_by_itself_is_judged(panel):
    panel.choose("s03")
    assert not panel.list.rows[0].up.disabled
    panel.picker.slider.value = (0.5, 1.5)
    assert panel.list.rows[0].up.disabled
    panel.choose("s03")
    panel.keep(True)
    panel.choose("s08")
    assert panel.list.rows[0].up.disabled


def test_thumbs_prefer_to_the_neighbour_that_has_none(panel):
    panel.choose("s03")
    first, second, third = ids(panel)[:3]
    panel.list.rows[1].up.click()
    panel.list.rows[1].up.click()
    panel.list.rows[0].up.click()
    panel.list.rows[2].down.click()
    rows = (panel.data / "triplets.csv").read_text().splitlines()
    assert rows[:2] == ["reference,nearer,farther", f"s03,{second},{first}"]
    assert rows[2] == f"s03,{first},{third}", "the one below has a thumb already"
    assert rows[3].startswith("s03,") and rows[3].endswith(f",{third}")


def test_no_close_match_folds_the_list(panel):
    panel.searcher.calibration = dataclasses.replace(
        panel.searcher.calibration, outlier_threshold=2.0
    )
    panel.choose("s03")
    assert "Nothing here is close" in panel.list.headline.value
    assert panel.list.listing.layout.display == "none"
    panel.list.anyway.click()
    assert panel.list.listing.layout.display is None


def test_the_map_is_coloured_ringed_and_clicked(panel):
    panel.choose("s03")
    rows = [int(i[1:]) for i in ["s03", *ids(panel)]]
    np.testing.assert_allclose(panel.map.rings.x, panel.map.points[rows, 0])
    assert list(panel.map.rings.names) == ["★", "1", "2", "3", "4", "5"]
    assert len(set(panel.map.dots.colors)) == 2
    assert panel.map.colour.options == ("genre", "mood", "artist", "album", "seconds")
    panel.map.colour.value = "seconds"
    assert len(set(panel.map.dots.colors)) > 2
    panel.map._on_click(None, {"data": {"index": 8}})
    assert panel.chosen.track_id == "s08"
    assert "<audio autoplay" in panel.picker.player.value


def test_playlists_and_excerpts(panel):
    lists = panel.playlists
    lists.show(lists.radio)
    assert "choose a track of the catalogue first" in lists.list.value
    panel.choose("s03")
    lists.show(lists.path)
    assert "choose where it is to lead" in lists.list.value
    lists.show(lists.radio)
    assert lists.list.value.count("<audio") == 12
    lists.target.value = "Song 8 – Artist 4 [s08]"
    lists.steps.value = 2
    lists.show(lists.path)
    assert lists.list.value.count("<audio") == 3
    lists.show(lists.by_excerpt)
    assert "0:00–0:03" in lists.list.value
    assert lists.list.value.count("flex:") == lists.list.value.count("<audio")


def test_a_catalogue_of_one_artist_has_no_excerpts_to_draw(panel, monkeypatch):
    artists = panel.searcher.index.artists
    monkeypatch.setattr(panel.searcher.index, "artists", np.zeros_like(artists))
    panel.choose("s03")
    panel.playlists.show(panel.playlists.by_excerpt)
    assert "<table" in panel.playlists.list.value
    assert "<audio" not in panel.playlists.list.value
    assert "by another artist" in panel.list.headline.value
