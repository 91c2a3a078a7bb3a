import math

import numpy as np
import pytest
import samples
import torch
from pytorch_metric_learning.losses import SupConLoss

from simlib.training import GradedSupConLoss, Objective, TagHeads

# --- graded pairs --------------------------------------------------------------------------------


def naive_loss(embeddings, weights, temperature):
    """Cross entropy between the pair weights, scaled to the sum 1, and the softmax."""
    losses = []
    for i, anchor in enumerate(embeddings):
        others = [j for j in range(len(embeddings)) if j != i]
        total = sum(weights[i][j] for j in others)
        if not total:
            continue
        similar = {j: float(anchor @ embeddings[j]) / temperature for j in others}
        normaliser = math.log(sum(math.exp(s) for s in similar.values()))
        losses.append(-sum(weights[i][j] / total * (similar[j] - normaliser) for j in others))
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


@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_with_weights_of_0_and_1_it_is_the_loss_of_the_paper(seed, temperature):
    """As pytorch-metric-learning has it, gradients included; label 9 has no positive."""
    rng = np.random.default_rng(seed)
    labels = torch.from_numpy(np.append(rng.integers(0, 4, size=15), 9))
    vectors = torch.nn.functional.normalize(torch.from_numpy(unit_vectors(16, seed)).double())
    found, reference = (vectors.clone().requires_grad_() for _ in "ab")

    def same_label(rows):
        rows = labels.numpy()[rows]
        return ((rows[:, None] == rows) & ~np.eye(len(rows), dtype=bool)).astype(np.float32)

    loss = GradedSupConLoss(same_label, temperature)(found, torch.arange(16))
    expected = SupConLoss(temperature)(reference, labels)
    loss.backward()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-9)
    # The library scales embeddings to unit length once more, which removes the radial gradient.
    radial = (found.grad * found).sum(dim=1, keepdim=True) * found
    torch.testing.assert_close(found.grad - radial, reference.grad, atol=1e-9, rtol=1e-9)


def test_a_batch_without_a_positive_costs_nothing():
    embeddings = torch.from_numpy(unit_vectors(4, 0)).requires_grad_()
    loss = GradedSupConLoss(lambda rows: np.zeros((len(rows),) * 2, dtype=np.float32), 0.1)
    value = loss(embeddings, torch.arange(4))
    value.backward()
    assert value.item() == 0
    assert not embeddings.grad.any()


def test_a_larger_weight_pulls_harder():
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
    heads = TagHeads(TRACKS, ["genre", "mood"], 5, 3)
    # Rock and pop, and calm; jazz and wild have fewer than three recordings.
    assert heads.tags.tolist() == [
        [0, 1, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 0, 0], [0, 0, 0],
    ]  # fmt: skip


def test_the_heads_loss_is_the_naive_loop():
    heads = TagHeads(TRACKS, ["genre", "mood"], 5, 3)
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
    heads = TagHeads(alone, columns, 5, 3)
    assert heads(torch.randn(4, 5), torch.tensor([0, 0, 1, 1])).item() == 0


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0])
def test_the_objective_is_both_losses_together(weight):
    settings = samples.train_settings(tag_loss_weight=weight)
    objective = Objective(TRACKS, ["genre"], settings)
    raw, rows = torch.randn(6, settings.embedding), torch.tensor([0, 0, 1, 3, 3, 5])
    contrastive = objective.contrastive(torch.nn.functional.normalize(raw, dim=1), rows)
    expected = contrastive + weight * objective.heads(raw, rows)
    assert objective(raw, rows).item() == pytest.approx(expected.item(), rel=1e-6)
