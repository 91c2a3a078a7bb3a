"""Judgements as listeners leave them, and weights that are known being found again."""

import math
import os

import numpy as np
import pandas as pd
import pytest
import samples
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from simlib.catalogue import append_triplet, read_triplets, read_triplets_table, triplet_rows
from simlib.core import SimlibError, cosine
from simlib.evaluation import aspect_margins, bootstrap, fit_weights, listener_agreement
from simlib.evaluation.listening import _steepness

HEADER = "reference,nearer,farther\n"
SETTINGS = samples.evaluate_settings()


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
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    assert listener_agreement(np.zeros(0), rows, SETTINGS) == nothing


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


def test_all_problems_of_the_file_are_told_at_once(tmp_path):
    table = HEADER + "t00,t00,t01\nt00,t01\nt00,t01,t01\n,t01,t02\nt00,t01,t02,t03\n\nt01,t02,t01\n"
    told = problems(tmp_path, table)
    for problem in (
        "row 2 compares 't00' with itself",
        "row 3 has 2 cells, not 3",
        "row 4 has 't01' as nearer and as farther",
        "row 5 names no 'reference'",
        "row 6 has 4 cells, not 3",
        "row 8 compares 't01' with itself",
    ):
        assert problem in told
    assert told.count("\n") == 0


def test_ids_that_nobody_knows_are_problems_where_all_are_known(tmp_path):
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
    ("table", "told"),
    [
        ("", "no column 'reference'.*'nearer'.*'farther'"),
        ("t00,t01,t02\n", "no column 'reference'"),
        ("reference,nearer\nt00,t01\n", "no column 'farther'"),
        ("reference,nearer,farther,nearer\n", "no column 'nearer', or more than one"),
        (HEADER.encode() + b"t00,t01,caf\xe9\n", "line 2 is not UTF-8"),
        (HEADER + 't00,t01,t02\nt00,"' + "x" * 140_000, "row 3 cannot be parsed .*quote left open"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path, table, told):
    with pytest.raises(SimlibError, match=told):
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


def test_a_judgement_is_of_one_side_if_all_its_recordings_are(tmp_path):
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


# --- agreement -------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
def test_agreement_is_the_naive_count(seed):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, 4, (8, 8)) / 4
    triplets = np.stack([rng.choice(8, 3, replace=False) for _ in range(20)])
    values, margin = [], []
    for reference, nearer, farther in triplets:
        near, far = similarity[reference, nearer], similarity[reference, farther]
        margin.append(near - far)
        values.append(0.5 if near == far else float(near > far))
    found = listener_agreement(np.array(margin), triplets, SETTINGS)
    assert found["value"] == pytest.approx(np.mean(values), abs=1e-6)
    assert found == bootstrap(np.array(values), triplets[:, 0], 200, 0), "over references"


# --- fitting ---------------------------------------------------------------------------------

NAMES = ("sound", "genre", "mood", "tempo")
DEFAULT = dict(zip(NAMES, (0.55, 0.2, 0.15, 0.1), strict=True))
TRUTHS = [(0.1, 0.3, 0.3, 0.3), (0.1, 0.0, 0.5, 0.4), (0.6, 0.3, 0.0, 0.1), (0.0, 0.6, 0.2, 0.2)]


def parts_of(seed=0, count=300):
    """Parts as a model makes them: unit vectors, each of the others an aspect of the sound."""
    rng = np.random.default_rng(seed)
    aspects = {name: rng.standard_normal((count, 4)) for name in NAMES[1:]}
    subspaces = {"sound": np.concatenate(list(aspects.values()), axis=1)}
    for name, aspect in aspects.items():
        subspaces[name] = np.concatenate([aspect, 0.7 * rng.standard_normal((count, 4))], axis=1)
    lengths = {
        name: np.linalg.norm(subspace, axis=1, keepdims=True)
        for name, subspace in subspaces.items()
    }
    return {
        name: (subspace / lengths[name]).astype(np.float32) for name, subspace in subspaces.items()
    }


def judged(subspaces, weights, count, seed=0, references=None, sharpness=6.0):
    """Judgements by listeners who weigh parts so, with logistic noise."""
    rng = np.random.default_rng(seed)
    tracks = len(next(iter(subspaces.values())))
    triplets = np.stack([rng.choice(tracks, 3, replace=False) for _ in range(count)])
    if references:
        others = np.stack([rng.choice(np.arange(references, tracks), 2, replace=False)] * count)
        triplets = np.column_stack([np.arange(count) % references, others])
        triplets[:, 1:] = rng.permuted(triplets[:, 1:], axis=1)
    margin = aspect_margins(subspaces, triplets) @ np.asarray(weights)
    sure = expit(sharpness * margin / margin.std())
    against = rng.random(count) > sure
    triplets[against] = triplets[against][:, [0, 2, 1]]
    return triplets


def test_margins_are_differences_of_cosines():
    subspaces = parts_of(count=12)
    triplets = judged(subspaces, [0.25] * 4, 10)
    found = aspect_margins(subspaces, triplets)
    for row, (reference, nearer, farther) in enumerate(triplets):
        for column, subspace in enumerate(subspaces.values()):
            near, far = (float(np.dot(subspace[reference], subspace[i])) for i in (nearer, farther))
            assert found[row, column] == pytest.approx(near - far, abs=1e-6)


@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_thousand_judgements_give_the_weights_back(truth, seed):
    subspaces = parts_of(seed)
    triplets = judged(subspaces, truth, 2000, seed)
    # Not about the mean: which of two is called nearer is only a sign.
    correlation = cosine(aspect_margins(subspaces, triplets).T)
    assert correlation[0, 1:].min() > 0.4, "the example has correlated parts"
    found = fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
    assert sum(found["weights"].values()) == pytest.approx(1, abs=1e-5)
    for name, weight in zip(NAMES, truth, strict=True):
        assert found["weights"][name] == pytest.approx(weight, abs=0.05)
    assert found["gain"]["low"] > 0
    assert found["sentence"].endswith(": beyond chance.")
    assert found["gain"]["n"] == found["fitted"]["n"] == found["default"]["n"] == 2000


def test_weights_are_those_of_a_plain_minimiser():
    """Of the loss as the docstring has it, summed in a loop, by a method without gradients."""
    x = aspect_margins(parts_of(), judged(parts_of(), TRUTHS[1], 60))[:, :3]
    default, pull = np.array([0.5, 0.3, 0.2]), 0.01

    def loss(roots):
        b = roots**2
        total = sum(math.log1p(math.exp(-(row @ b))) for row in x) / len(x)
        return total + pull * sum((b - b.sum() * default) ** 2)

    options = {"maxiter": 4000, "xatol": 1e-8, "fatol": 1e-12}
    expected = (
        scipy.optimize.minimize(loss, [2, 2, 2], method="Nelder-Mead", options=options).x ** 2
    )
    found = _steepness(x, default, pull)
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_the_pull_goes_towards_the_direction_of_the_default_weights_only():
    subspaces, default = parts_of(), np.array(list(DEFAULT.values()))
    x = aspect_margins(subspaces, judged(subspaces, TRUTHS[1], 500))
    distances = []
    for pull in (0, 1e-3, 1e-1, 1e3):
        b = _steepness(x, default, pull)
        distances.append(np.abs(b / b.sum() - default).sum())
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.01
    assert b.sum() > 1, "how sure listeners are is not pulled at"


def test_listeners_who_weigh_as_the_default_does_leave_the_weights_and_gain_nothing():
    subspaces = parts_of()
    gains = []
    for seed in range(6):
        triplets = judged(subspaces, list(DEFAULT.values()), 300, seed)
        found = fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
        gains.append(found["gain"]["low"] > 0)
        assert "beyond chance" in found["sentence"]
        assert ("not beyond" in found["sentence"]) is not gains[-1]
    assert sum(gains) <= 1


def test_the_agreement_with_the_default_weights_is_that_of_their_similarities():
    subspaces = parts_of()
    triplets = judged(subspaces, TRUTHS[0], 200)
    margin = sum(
        weight * aspect_margins({"": subspaces[name]}, triplets)[:, 0]
        for name, weight in DEFAULT.items()
    )
    found = fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
    assert found["default"] == listener_agreement(margin, triplets, SETTINGS)
    difference = found["fitted"]["value"] - found["default"]["value"]
    assert found["gain"]["value"] == pytest.approx(difference, abs=2e-6)


def test_fitted_weights_are_scored_on_references_that_they_have_not_seen():
    """Where listeners judge at random."""
    rng = np.random.default_rng(0)
    subspaces = {name: samples.unit(400, seed, 200) for seed, name in enumerate(NAMES)}
    triplets = np.stack([rng.permutation(400)[:3] for _ in range(400)])
    found = fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
    assert found["fitted"]["low"] < 0.5 < found["fitted"]["high"]
    assert found["gain"]["low"] <= 0


def test_of_few_references_the_default_weights_stay_however_many_judgements():
    subspaces = parts_of()
    triplets = judged(subspaces, TRUTHS[1], 2000, references=9)
    found = fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
    assert found["weights"] == DEFAULT
    assert "9 reference(s) are too few" in found["sentence"]
    assert found["sentence"].endswith("the default weights stay.")
    assert found["default"]["n"] == 2000
    assert found["fitted"]["value"] is found["gain"]["value"] is None
    nothing = fit_weights(subspaces, triplets[:0], DEFAULT, SETTINGS)
    assert nothing["weights"] == DEFAULT
    assert nothing["default"]["value"] is None


def test_ten_references_are_enough_however_unevenly_they_were_judged():
    subspaces = parts_of()
    triplets = judged(subspaces, TRUTHS[1], 400)
    triplets[:, 0] = np.repeat(np.arange(10), [200, 92, 50, 50, 3, 1, 1, 1, 1, 1])
    triplets = triplets[[len(set(row)) == 3 for row in triplets.tolist()]]
    assert len(set(triplets[:, 0])) == 10
    found = fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
    assert found["gain"]["n"] == len(triplets)


def test_one_part_has_no_weights_to_fit():
    subspaces = {"sound": parts_of()["sound"]}
    triplets = judged(subspaces, [1.0], 100)
    found = fit_weights(subspaces, triplets, {"sound": 1.0}, SETTINGS)
    assert found["weights"] == {"sound": 1.0}
    assert "one part" in found["sentence"]
    assert found["default"]["value"] > 0.8


@pytest.mark.parametrize("case", ["all agree", "all disagree", "all alike"])
def test_judgements_without_noise_or_without_sense_have_finite_weights(case):
    subspaces = parts_of()
    triplets = judged(subspaces, TRUTHS[0], 100, sharpness=1e6)
    if case == "all disagree":
        triplets = triplets[:, [0, 2, 1]]
    if case == "all alike":
        subspaces = {name: np.tile(subspace[:1], (300, 1)) for name, subspace in subspaces.items()}
    found = fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
    weights = np.array(list(found["weights"].values()))
    assert np.isfinite(weights).all() and weights.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    if case != "all agree":
        assert found["weights"] == DEFAULT
        assert found["gain"]["low"] <= 0


def test_two_parts_that_say_the_same_share_their_weight_as_they_do_by_default():
    subspaces = parts_of()
    subspaces["genre"] = subspaces["mood"]
    default = DEFAULT | {"genre": 0.3, "mood": 0.1, "sound": 0.5}
    triplets = judged(subspaces, (0.2, 0.3, 0.3, 0.2), 2000)
    weights = fit_weights(subspaces, triplets, default, SETTINGS)["weights"]
    assert weights["genre"] + weights["mood"] == pytest.approx(0.6, abs=0.05)
    assert weights["genre"] - weights["mood"] > 0.05


def test_a_fit_is_the_same_every_time_and_json():
    import json

    subspaces = parts_of()
    triplets = judged(subspaces, TRUTHS[2], 300)
    found = fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
    assert found == fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
    json.dumps(found, allow_nan=False)
