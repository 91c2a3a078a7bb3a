import math

import numpy as np
import pytest
import samples
import torch

from simlib.training import GradedSupConLoss, Objective, TagHeads

# --- graded pairs --------------------------------------------------------------------------------


def naive_loss(embeddings, strength, temperature):
    """Cross entropy between the strengths, scaled to sum to one, and the softmax."""
    losses = []
    for i, anchor in enumerate(embeddings):
        others = [j for j in range(len(embeddings)) if j != i]
        total = sum(strength[i][j] for j in others)
        if not total:
            continue
        similar = {j: float(anchor @ embeddings[j]) / temperature for j in others}
        normaliser = math.log(sum(math.exp(s) for s in similar.values()))
        losses.append(-sum(strength[i][j] / total * (similar[j] - normaliser) for j in others))
    return sum(losses) / len(losses) if losses else 0.0


def unit_vectors(count, seed):
    vectors = np.random.default_rng(seed).standard_normal((count, 5))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("temperature", [0.1, 0.7])
@pytest.mark.parametrize("seed", range(5))
def test_the_loss_is_the_naive_loop(seed, temperature):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 5, size=10)
    table = rng.choice([0.0, 0.0, 0.0, 0.25, 1.0, 2.5], size=(5, 5))
    embeddings = unit_vectors(10, seed)

    def pair_weights(positions):
        return (table[np.ix_(positions, positions)] * (1 - np.eye(10))).astype(np.float32)

    loss = GradedSupConLoss(pair_weights, temperature)
    found = loss(torch.from_numpy(embeddings), torch.from_numpy(rows)).item()
    assert found == pytest.approx(naive_loss(embeddings, pair_weights(rows), temperature), rel=1e-4)


def test_a_batch_without_a_positive_costs_nothing():
    loss = GradedSupConLoss(lambda rows: np.zeros((len(rows),) * 2, dtype=np.float32), 0.1)
    assert loss(torch.from_numpy(unit_vectors(4, 0)), torch.arange(4)).item() == 0


def test_a_stronger_relation_pulls_harder():
    def pair_weights(rows):
        return np.array([[0, 3, 1], [3, 0, 0], [1, 0, 0]], dtype=np.float32)

    near = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    weak = near[[0, 2, 1]]  # the weaker partner is the near one
    loss = GradedSupConLoss(pair_weights, 0.5)
    strong_first, weak_first = (
        loss(torch.from_numpy(vectors), torch.arange(3)).item() for vectors in (near, weak)
    )
    assert strong_first < weak_first


# --- tag heads -----------------------------------------------------------------------------------

TRACKS = samples.tracks(
    6, genre=["rock", "rock;pop", "rock", "pop", "pop", "jazz"], mood=["calm"] * 4 + ["wild"] * 2
)


def test_a_head_for_each_tag_that_has_examples():
    heads = TagHeads(TRACKS, ["genre", "mood"], 5)
    # Rock and pop, and calm; jazz and wild have fewer than three recordings.
    assert heads.tags.tolist() == [
        [0, 1, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 0, 0], [0, 0, 0],
    ]  # fmt: skip


def test_the_heads_loss_is_the_naive_loop():
    heads = TagHeads(TRACKS, ["genre", "mood"], 5)
    raw = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32))
    rows = [5, 1, 1, 3]
    logits = heads.linear(raw).tolist()
    expected = 0.0
    for row, logit in zip(rows, logits, strict=True):
        costs = []
        for tag, value in enumerate(logit):
            chance = 1 / (1 + math.exp(-value))
            costs.append(-math.log(chance if heads.tags[row, tag] else 1 - chance))
        # The mean over genres, and the only mood.
        expected += (costs[0] + costs[1]) / 2 + costs[2]
    found = heads(raw, torch.tensor(rows)).item()
    assert found == pytest.approx(expected / 4, rel=1e-5)


@pytest.mark.parametrize("columns", [[], ["mood"]])
def test_without_tags_to_predict_the_heads_cost_nothing(columns):
    alone = samples.tracks(2, mood=["calm", "wild"])
    heads = TagHeads(alone, columns, 5)
    assert heads(torch.randn(4, 5), torch.tensor([0, 0, 1, 1])).item() == 0


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0])
def test_the_objective_is_both_losses_together(weight):
    settings = samples.train_settings(tag_loss_weight=weight)
    objective = Objective(TRACKS, ["genre"], settings)
    raw, rows = torch.randn(6, settings.embedding), torch.tensor([0, 0, 1, 3, 3, 5])
    contrastive = objective.contrastive(torch.nn.functional.normalize(raw, dim=1), rows)
    expected = contrastive + weight * objective.heads(raw, rows)
    assert objective(raw, rows).item() == pytest.approx(expected.item(), rel=1e-6)
