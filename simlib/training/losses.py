"""What training minimises: a graded contrastive loss on pairs, and tag heads beside it."""

import numpy as np
import torch
from pytorch_metric_learning.losses import SupConLoss
from torch import nn

from simlib.relevance import tag_matrix
from simlib.training.positives import PairWeights

# A tag that fewer training recordings carry has too few examples to be told from chance.
FEWEST = 3


class GradedSupConLoss(SupConLoss):
    """Supervised contrastive loss (Khosla et al. 2020) whose positives count by degree.

    Each anchor's positives are weighted by the strength of their relation, in place of all alike:
    the loss is the cross entropy between the strengths, scaled to sum to one, and the softmax of
    the similarities. An anchor with no positive adds nothing.

    Parameters
    ----------
    relations : callable
        Positions (n,) to strengths (n, n); see `simlib.training.PairWeights`.
    temperature : float
    """

    def __init__(self, pair_weights, temperature):
        super().__init__(temperature=temperature)
        self.pair_weights = pair_weights

    def compute_loss(self, embeddings, labels, indices_tuple, ref_emb, ref_labels):
        """Labels are positions of recordings in the table that the relations know."""
        similarity = self.distance(embeddings)
        strength = torch.from_numpy(self.pair_weights(labels.cpu().numpy())).to(similarity)
        others = 1 - torch.eye(len(labels)).to(similarity)
        return self._compute_loss(similarity, strength, others)


class TagHeads(nn.Module):
    """Predicts each tag from the embedding: classification beside metric learning.

    The two win on different measures (Lee et al. 2020). Binary cross entropy, averaged over the
    tags of a column and summed over columns. The heads serve training only.

    Parameters
    ----------
    tracks : pandas.DataFrame
        The training recordings.
    columns : list of str
        Their tag columns.
    embedding : int
        Dimensions of the embedding.
    """

    def __init__(self, tracks, columns, embedding):
        super().__init__()
        members = [tag_matrix(tracks[column]) for column in columns]
        members = [member[:, member.sum(axis=0) >= FEWEST] for member in members]
        none = np.zeros((len(tracks), 0), dtype=np.float32)
        self.register_buffer("tags", torch.from_numpy(np.hstack([none, *members])))
        shares = [np.full(m.shape[1], 1 / max(1, m.shape[1]), dtype=np.float32) for m in members]
        self.register_buffer("shares", torch.from_numpy(np.concatenate([none[0], *shares])))
        # Without a tag to predict there is nothing to initialise, which PyTorch warns of.
        self.linear = nn.Linear(embedding, self.tags.shape[1]) if self.tags.shape[1] else None

    def forward(self, raw, rows):
        """Return the loss.

        Parameters
        ----------
        raw : torch.Tensor of float32, shape (n_segments, embedding)
            Embeddings before they are brought to unit length.
        rows : torch.Tensor of int64, shape (n_segments,)
            Positions of their recordings in the table.

        Returns
        -------
        torch.Tensor of float32, shape ()
        """
        if self.linear is None:
            return raw.new_zeros(())
        wrong = nn.functional.binary_cross_entropy_with_logits(
            self.linear(raw), self.tags[rows], reduction="none"
        )
        return (wrong * self.shares).sum(dim=1).mean()


class Objective(nn.Module):
    """What the encoder's training minimises: both losses together.

    Parameters
    ----------
    tracks : pandas.DataFrame
        The training recordings.
    columns : list of str
        Their tag columns.
    settings : simlib.training.TrainSettings
    """

    def __init__(self, tracks, columns, settings):
        super().__init__()
        self.pair_weights = PairWeights(tracks, columns, settings.positives)
        self.contrastive = GradedSupConLoss(self.pair_weights, settings.temperature)
        self.heads = TagHeads(tracks, columns, settings.embedding)
        self.weight = settings.tag_loss_weight

    def forward(self, raw, rows):
        """Return the loss; see `TagHeads.forward`."""
        contrastive = self.contrastive(nn.functional.normalize(raw, dim=1), rows)
        return contrastive + self.weight * self.heads(raw, rows)
