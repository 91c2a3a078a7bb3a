"""The losses of training: a graded contrastive loss on pairs, and tag heads beside it."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import nn

from simlib.relevance import tag_matrix
from simlib.training.positives import PairWeights
from simlib.training.settings import TrainSettings


class GradedSupConLoss(nn.Module):
    """Supervised contrastive loss (Khosla et al. 2020) with weighted positives.

    For each anchor: the cross entropy between its pair weights, scaled to the sum 1, and the
    softmax of its similarities to all other items. The loss is the mean over the anchors that
    have a positive.

    Parameters
    ----------
    pair_weights : callable
        Positions (n,) to weights (n, n); see `simlib.training.PairWeights`.
    temperature : float
    """

    def __init__(self, pair_weights: Callable[[np.ndarray], np.ndarray], temperature: float):
        super().__init__()
        self.pair_weights, self.temperature = pair_weights, temperature

    def forward(self, embeddings: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the loss.

        Parameters
        ----------
        embeddings : torch.Tensor of float32, shape (n, embedding)
            Of unit length.
        rows : torch.Tensor of int64, shape (n,)
            Positions of their recordings in the table that the pair weights know.

        Returns
        -------
        torch.Tensor of float32, shape ()
            0 without any positive.
        """
        weights = torch.from_numpy(self.pair_weights(rows.cpu().numpy())).to(embeddings)
        logits = embeddings @ embeddings.T / self.temperature
        itself = torch.eye(len(rows), dtype=torch.bool, device=logits.device)
        others = logits.masked_fill(itself, -torch.inf)
        losses = (weights * (others.logsumexp(dim=1, keepdim=True) - logits)).sum(dim=1)
        totals = weights.sum(dim=1)
        anchors = totals > 0
        return (losses / totals.where(anchors, 1)).sum() / anchors.sum().clamp(min=1)


class TagHeads(nn.Module):
    """Linear heads that predict tags from the embedding: classification beside metric learning.

    Either helps on measures that the other does not (Lee et al. 2020). The loss is the binary
    cross entropy, averaged over the tags of a column and summed over columns. Only training
    uses the heads.

    Parameters
    ----------
    tracks : pandas.DataFrame
        The training recordings.
    columns : sequence of str
        Their tag columns.
    embedding : int
        Dimensions of the embedding.
    fewest : int
        A tag has a head if at least this number of training recordings has the tag.
    """

    tags: torch.Tensor
    shares: torch.Tensor

    def __init__(self, tracks: pd.DataFrame, columns: Sequence[str], embedding: int, fewest: int):
        super().__init__()
        tags = [tag_matrix(tracks[column]) for column in columns]
        tags = [one[:, one.sum(axis=0) >= fewest] for one in tags]
        none = np.zeros((len(tracks), 0), dtype=np.float32)
        self.register_buffer("tags", torch.from_numpy(np.hstack([none, *tags])))
        shares = [np.full(t.shape[1], 1 / max(1, t.shape[1]), dtype=np.float32) for t in tags]
        self.register_buffer("shares", torch.from_numpy(np.concatenate([none[0], *shares])))
        # PyTorch warns of a linear layer without outputs.
        self.linear = nn.Linear(embedding, self.tags.shape[1]) if self.tags.shape[1] else None

    def forward(self, raw: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the loss.

        Parameters
        ----------
        raw : torch.Tensor of float32, shape (n_segments, embedding)
            Embeddings before they are scaled to unit length.
        rows : torch.Tensor of int64, shape (n_segments,)
            Positions of their recordings in the table.

        Returns
        -------
        torch.Tensor of float32, shape ()
        """
        if self.linear is None:
            return raw.new_zeros(())
        entropy = nn.functional.binary_cross_entropy_with_logits(
            self.linear(raw), self.tags[rows], reduction="none"
        )
        return (entropy * self.shares).sum(dim=1).mean()


class Objective(nn.Module):
    """The loss that trains the encoder: the contrastive loss and the loss of the tag heads.

    Parameters
    ----------
    tracks : pandas.DataFrame
        The training recordings.
    columns : sequence of str
        Their tag columns.
    settings : simlib.training.TrainSettings
    """

    def __init__(self, tracks: pd.DataFrame, columns: Sequence[str], settings: TrainSettings):
        super().__init__()
        self.pair_weights = PairWeights(tracks, columns, settings.positives)
        self.contrastive = GradedSupConLoss(self.pair_weights, settings.temperature)
        self.heads = TagHeads(tracks, columns, settings.embedding, settings.tag_recordings)
        self.weight = settings.tag_loss_weight

    def forward(self, raw: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the loss; see `TagHeads.forward`."""
        contrastive = self.contrastive(nn.functional.normalize(raw, dim=1), rows)
        return contrastive + self.weight * self.heads(raw, rows)
