"""Judgements as listeners leave them: read, checked and added."""

import os

import pandas as pd
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.catalogue import append_triplet, read_triplets, read_triplets_table, triplet_rows
from simlib.core import SimlibError

HEADER = "reference,nearer,farther\n"


def make(folder, table):
    (folder / "triplets.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    return folder


def problems(folder, table):
    with pytest.raises(SimlibError) as error:
        read_triplets(make(folder, table), samples.tracks(4))
    assert error.value.subject == str(folder / "triplets.csv")
    return str(error.value)


# --- reading ---------------------------------------------------------------------------------


def test_judgements_are_read_in_the_files_order(tmp_path):
    table = HEADER + "t02,t00,t01\nt00,t01,t02\n"
    triplets, left_out = read_triplets(make(tmp_path, table), samples.tracks(4))
    assert triplets.to_numpy().tolist() == [["t02", "t00", "t01"], ["t00", "t01", "t02"]]
    assert list(triplets.columns) == ["reference", "nearer", "farther"]
    assert left_out.empty


def test_a_catalogue_need_not_have_any(tmp_path):
    triplets, left_out = read_triplets(tmp_path, samples.tracks(4))
    assert list(triplets.columns) == ["reference", "nearer", "farther"]
    assert len(triplets) == len(left_out) == 0
    rows = triplet_rows(triplets, samples.tracks(4))
    assert rows.shape == (0, 3)


def test_columns_may_stand_in_any_order_beside_others(tmp_path):
    table = "farther, who ,nearer,reference\r\nt01,Ann,t02, t00 \r\n\r\n"
    triplets, _ = read_triplets(make(tmp_path, table.encode("utf-8-sig")), samples.tracks(4))
    assert triplets.to_dict("list") == {"reference": ["t00"], "nearer": ["t02"], "farther": ["t01"]}


def test_contradicting_and_repeated_judgements_are_data(tmp_path):
    table = HEADER + "t00,t01,t02\nt00,t02,t01\nt00,t01,t02\n"
    triplets, left_out = read_triplets(make(tmp_path, table), samples.tracks(4))
    assert len(triplets) == 3
    assert left_out.empty


def test_judgements_on_recordings_that_are_gone_do_not_count_and_are_named(tmp_path):
    table = HEADER + "t00,t01,t02\nt00,gone,t01\n\nlost,t01,gone\n"
    triplets, left_out = read_triplets(make(tmp_path, table), samples.tracks(4))
    assert triplets.to_numpy().tolist() == [["t00", "t01", "t02"]]
    assert left_out.to_dict("list") == {"row": [3, 5], "track_id": ["gone", "lost"]}
    assert (tmp_path / "triplets.csv").read_text() == table


def test_an_id_with_spaces_around_it_is_found(tmp_path):
    tracks = samples.tracks(3).assign(track_id=pd.array([" one ", "two", "3"], dtype="str"))
    triplets, _ = read_triplets(make(tmp_path, HEADER + " one ,two,3\n"), tracks)
    assert triplets["reference"].tolist() == [" one "]
    assert triplet_rows(triplets, tracks).tolist() == [[0, 1, 2]]


def test_all_problems_of_the_file_are_in_one_error(tmp_path):
    table = HEADER + "t00,t00,t01\nt00,t01\nt00,t01,t01\n,t01,t02\nt00,t01,t02,t03\n\nt01,t02,t01\n"
    message = problems(tmp_path, table)
    for problem in (
        "row 2 compares 't00' with itself",
        "row 3 has 2 cells, not 3",
        "row 4 has 't01' as nearer and as farther",
        "row 5 names no 'reference'",
        "row 6 has 4 cells, not 3",
        "row 8 compares 't01' with itself",
    ):
        assert problem in message
    assert message.count("\n") == 0


def test_unknown_ids_are_problems_if_all_ids_are_given(tmp_path):
    path = make(tmp_path, HEADER + "a,b,c\na,x,b\nb,\x1b[31m,x\n") / "triplets.csv"
    _, rows = read_triplets_table(path)
    assert len(rows) == 3
    with pytest.raises(SimlibError) as error:
        read_triplets_table(path, {"a", "b", "c"})
    assert error.value.cause == (
        "3 problems: row 3: there is no track 'x'; row 4: there is no track '\\x1b[31m'; "
        "row 4: there is no track 'x'"
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "no column 'reference'.*'nearer'.*'farther'"),
        ("t00,t01,t02\n", "no column 'reference'"),
        ("reference,nearer\nt00,t01\n", "no column 'farther'"),
        ("reference,nearer,farther,nearer\n", "no column 'nearer', or more than one"),
        (HEADER.encode() + b"t00,t01,caf\xe9\n", "line 2 is not UTF-8"),
        (HEADER + 't00,t01,t02\nt00,"' + "x" * 140_000, "row 3 cannot be parsed .*quote left open"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path, table, message):
    with pytest.raises(SimlibError, match=message):
        read_triplets(make(tmp_path, table), samples.tracks(4))


cells = st.text(st.sampled_from('t012 ,"\n\r\0é'), max_size=4)


@given(
    st.binary(max_size=200)
    | st.lists(st.tuples(cells, cells, cells), max_size=5).map(
        lambda rows: (HEADER + "\n".join(map(",".join, rows))).encode()
    )
)
def test_any_bytes_are_judgements_or_a_simlib_error(tmp_path_factory, content):
    folder = make(tmp_path_factory.mktemp("data"), content)
    tracks = samples.tracks(3).assign(track_id=pd.array(["t0", "t1", "t2"], dtype="str"))
    try:
        triplets, left_out = read_triplets(folder, tracks)
    except SimlibError:
        return
    assert (triplets.nunique(axis=1) == 3).all()
    rows = triplet_rows(triplets, tracks)
    assert len(rows) == len(triplets)
    assert not set(left_out["track_id"]) & set(tracks["track_id"])


def test_a_judgement_is_of_one_split_if_all_its_recordings_are(tmp_path):
    table = HEADER + "t03,t02,t01\nt01,t02,t00\nt02,t01,t03\n"
    tracks = samples.tracks(4)
    triplets, _ = read_triplets(make(tmp_path, table), tracks)
    assert triplet_rows(triplets, tracks[1:]).tolist() == [[2, 1, 0], [1, 0, 2]]
    assert triplet_rows(triplets, tracks[:0]).shape == (0, 3)


# --- adding one ------------------------------------------------------------------------------


ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@given(st.lists(st.lists(ids, min_size=3, max_size=3, unique_by=str.strip), max_size=4))
def test_what_was_added_is_read(tmp_path_factory, added):
    folder = tmp_path_factory.mktemp("data")
    added = [row for row in added if all(track_id.strip() for track_id in row)]
    for row in added:
        append_triplet(folder, *row)
    _, rows = read_triplets_table(folder / "triplets.csv")
    stripped = [[track_id.strip() for track_id in row] for row in added]
    assert [list(row.values()) for _, row in rows] == stripped


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_judgement_is_added_to_what_stands_there(tmp_path, end):
    before = "who,farther,nearer,reference\nAnn,c,b,a" + end
    make(tmp_path, before)
    append_triplet(tmp_path, "x", "y,1", "z")
    after = (tmp_path / "triplets.csv").read_bytes().decode()
    assert after == before.removesuffix("\n") + '\n,z,"y,1",x\n'
    assert [p.name for p in tmp_path.iterdir()] == ["triplets.csv"], "nothing is left lying"


def test_a_judgement_does_not_reach_what_the_file_is_linked_with(tmp_path):
    """DVC may link its cache into the catalogue."""
    cache = tmp_path / "cache"
    cache.write_text(HEADER + "a,b,c\n")
    (tmp_path / "data").mkdir()
    os.link(cache, tmp_path / "data" / "triplets.csv")
    append_triplet(tmp_path / "data", "a", "c", "b")
    assert cache.read_text() == HEADER + "a,b,c\n"
    assert (tmp_path / "data" / "triplets.csv").read_text() == HEADER + "a,b,c\na,c,b\n"


@pytest.mark.parametrize(
    "ids", [("a", "a", "b"), ("a", "b", "a "), ("a", "b", "b"), ("a", "", "b")]
)
def test_what_is_no_judgement_is_not_added(tmp_path, ids):
    with pytest.raises(SimlibError, match="three different recordings"):
        append_triplet(tmp_path, *ids)
    assert not list(tmp_path.iterdir())


def test_a_file_with_problems_is_not_added_to(tmp_path):
    make(tmp_path, "reference,nearer\na,b\n")
    with pytest.raises(SimlibError, match="no column 'farther'"):
        append_triplet(tmp_path, "a", "b", "c")
    assert (tmp_path / "triplets.csv").read_text() == "reference,nearer\na,b\n"


def test_a_failure_leaves_the_judgements_as_they_were(tmp_path, monkeypatch):
    make(tmp_path, HEADER + "a,b,c\n")

    def fail(*args):
        raise OSError("the disk is gone")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        append_triplet(tmp_path, "a", "c", "b")
    assert (tmp_path / "triplets.csv").read_text() == HEADER + "a,b,c\n"
    assert [p.name for p in tmp_path.iterdir()] == ["triplets.csv"]
