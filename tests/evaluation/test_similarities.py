"""Similarities in blocks beside the matrices of all pairs."""

import numpy as np
import pytest
import samples
from samples import unit

from simlib.core import cosine
from simlib.evaluation import (
    CosineSimilarity,
    HubCorrectedSimilarity,
    RandomSimilarity,
    catalogue_similarity,
)
from simlib.evaluation.gains import TagGain, TempoGain
from simlib.evaluation.similarities import SummedSimilarity, among
from simlib.index import hub_corrected
from simlib.relevance import jaccard, tempo_gain

COUNT = 24
EVERYONE = np.arange(COUNT)
ARTISTS = EVERYONE // 2
HUBS = samples.hub_settings()
VECTORS = unit(COUNT, 0) + 0.3
VECTORS = (VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)).astype(np.float32)
TAGS = np.random.default_rng(0).integers(0, 2, (COUNT, 5)).astype(np.float32)
BPM = np.random.default_rng(1).uniform(60, 180, COUNT)


def system(name, rows=EVERYONE):
    """Return a similarity of some tracks, and its matrix."""
    vectors, tags, size = VECTORS[rows], TAGS[rows], len(rows)
    return {
        "cosine": (CosineSimilarity(3 * vectors), cosine(vectors)),
        "hub-corrected": (
            HubCorrectedSimilarity(vectors, ARTISTS[rows], HUBS),
            hub_corrected(vectors, ARTISTS[rows], HUBS),
        ),
        "tags": (TagGain(tags), jaccard(tags)),
        "sum": (
            SummedSimilarity([TagGain(tags), CosineSimilarity(vectors), np.eye(size)]),
            jaccard(tags) + cosine(vectors) + np.eye(size),
        ),
        "random": (RandomSimilarity(size, 7), np.random.default_rng(7).random((size, size))),
    }[name]


@pytest.mark.parametrize("name", ["cosine", "hub-corrected", "tags", "sum", "random"])
def test_rows_are_those_of_the_matrix_of_all_pairs(name):
    similarity, matrix = system(name)
    np.testing.assert_allclose(similarity[EVERYONE], matrix, atol=1e-6)
    rows = np.array([5, 0, 23, 5])
    np.testing.assert_allclose(similarity[rows], matrix[rows], atol=1e-6)
    few = np.array([2, 3, 8, 11, 20, 21, 22])
    found = among(similarity, few)[EVERYONE[:7]]
    np.testing.assert_allclose(found, system(name, few)[1], atol=1e-6)


def test_a_matrix_is_a_system_too():
    matrix = np.random.default_rng(0).random((6, 6))
    np.testing.assert_array_equal(among(matrix, np.array([1, 4])), matrix[[1, 4]][:, [1, 4]])


@pytest.mark.parametrize("name", ["tags", "tempo"])
def test_the_gains_of_ranked_tracks_are_those_of_all(name):
    gain, matrix = {
        "tags": (TagGain(TAGS), jaccard(TAGS)), "tempo": (TempoGain(BPM), tempo_gain(BPM))
    }[name]  # fmt: skip
    rows = np.array([4, 9, 0])
    np.testing.assert_array_equal(gain[rows], matrix[rows])
    ranked = np.random.default_rng(2).permuted(np.tile(EVERYONE, (3, 1)), axis=1)[:, :6]
    expected = np.take_along_axis(matrix[rows], ranked, axis=1)
    np.testing.assert_array_equal(gain.of(rows, ranked), expected)


def test_the_catalogue_is_ranked_as_search_ranks_it():
    index = samples.index_of(unit(30, 3))
    found = catalogue_similarity(index)[np.arange(30)]
    for row, vector in enumerate(index.vectors()):
        expected = index.similarities(vector, np.arange(30))
        np.testing.assert_allclose(found[row], expected, atol=1e-6)
