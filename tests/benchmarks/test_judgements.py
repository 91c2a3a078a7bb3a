"""The study of weights from judgements: weights that are known are found again."""

import json
import math

import numpy as np
import pytest
import samples
import scipy.optimize
from judgements import _steepness, fit_weights
from scipy.special import expit

from simlib.core import cosine
from simlib.evaluation import aspect_margins, listener_agreement

SETTINGS = samples.evaluate_settings()

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

    subspaces = parts_of()
    triplets = judged(subspaces, TRUTHS[2], 300)
    found = fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
    assert found == fit_weights(subspaces, triplets, DEFAULT, SETTINGS)
    json.dumps(found, allow_nan=False)
