"""The embedder: the encoder, its branches, and the vector that they make up together."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from simlib.core import digest_of_file, unit_rows, written_aside
from simlib.features import (
    CYCLIC_BINS,
    FrontEnd,
    RecordingFeatures,
    best_device,
    compute_tempogram,
    load_card,
)
from simlib.model.aspects import SOUND, TEMPO, Aspects
from simlib.model.inputs import DESCRIPTOR_SIZE, WholeRecording, tag_input_size
from simlib.model.networks import Branch, Encoder
from simlib.model.reduction import Reduction
from simlib.model.segments import cut_segment, pool_segments, segment_frames, segment_starts
from simlib.model.weights import TRAIN_HINT, read_metadata, unfit_refused

EMBED_BATCH = 64
# The branches, by their names in `params.yaml` and in the architecture.
BRANCHES = ("descriptor_branch", "tag_subspaces", "tempo_subspace")
# Settings of a branch that belong to its architecture; the others are about its training.
BUILT_OF = ("hidden", "embedding", "input_dropout", "dropout", "noise")


class Embedder:
    """All that embeds a recording: the encoder, branches on whole recordings, and subspaces.

    A few hundred recordings are few for a convolutional network. So more is ready-made. A branch
    gets chroma and tempogram, which a mel spectrogram only hints at. Backbones add what they have
    learned from many more recordings. Each subspace learns one aspect: a tag column, from all of
    these, or the tempo, from a tempogram.
    Its weights are random, and it has no subspaces, until it is trained or loaded.

    Parameters
    ----------
    front_end : simlib.features.FrontEnd
        Of its log-mel frames.
    segment_seconds : float
        Length of the segments that it is trained on.
    architecture : dict
        From `architecture_of`.
    digest : str, optional
        Of the file of weights; "" for weights that have none.

    Attributes
    ----------
    subspaces : dict of str to Branch
        By name; see `simlib.model.aspects`.
    backbones : tuple of str
        The backbones whose activations it takes.
    provenance : dict
        How the weights were made, as `save` was given it; empty for new weights.
    """

    def __init__(
        self, front_end: FrontEnd, segment_seconds: float, architecture: dict, digest: str = ""
    ):
        self.encoder = Encoder(**architecture["encoder"])
        self.descriptor_branch = Branch(DESCRIPTOR_SIZE, **architecture["descriptor_branch"])
        self.backbones = tuple(architecture["backbones"])
        self.reduction = None
        if self.backbones:
            inputs = sum(load_card(name).head_size for name in self.backbones)
            self.reduction = Reduction(inputs, architecture["reduced"])
        self.subspaces: dict[str, Branch] = {}
        self.front_end, self.segment_seconds = front_end, segment_seconds
        self.architecture, self.digest = architecture, digest
        self.provenance: dict[str, Any] = {}
        self.device = best_device()
        self._modules().to(self.device)

    @classmethod
    def untrained(
        cls, front_end: FrontEnd, segment_seconds: float, architecture: dict, seed: int
    ) -> Embedder:
        """Make an embedder with random weights that a seed determines."""
        torch.manual_seed(seed)
        return cls(front_end, segment_seconds, architecture)

    @property
    def sound(self) -> dict[str, tuple[int, float]]:
        """Dimensions and share of each part of the sound, in their order."""
        built = self.architecture
        sizes = {
            "encoder": built["encoder"]["embedding"],
            "descriptor": built["descriptor_branch"]["embedding"],
            "backbones": built["reduced"],
        }
        if not self.backbones:
            del sizes["backbones"]
        # A network without backbones divides their share among the other parts.
        shares = {name: built["shares"]["sound"][name] for name in sizes}
        return {name: (size, shares[name] / sum(shares.values())) for name, size in sizes.items()}

    @property
    def aspects(self) -> Aspects:
        """How its vectors are made up."""
        shares = self.architecture["shares"]
        sizes = {SOUND: sum(size for size, _ in self.sound.values())}
        sizes |= {name: subspace.size for name, subspace in self.subspaces.items()}
        relative = {
            name: shares["columns"].get(name, shares["columns"]["default"])
            for name in self.subspaces
            if name != TEMPO
        }
        total = sum(relative.values())
        weights = {name: shares["tag_columns"] * one / total for name, one in relative.items()}
        if TEMPO in self.subspaces:
            weights[TEMPO] = shares["tempo"]
        return Aspects(sizes, {SOUND: 1.0 - sum(weights.values()), **weights})

    @property
    def frames(self) -> int:
        """Frames of a segment."""
        return segment_frames(self.segment_seconds, self.front_end)

    def segments(self, log_mel: np.ndarray, hop_seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Embed a recording segment by segment.

        Parameters
        ----------
        log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
        hop_seconds : float
            Step between two segments; the last one ends with the recording.

        Returns
        -------
        embeddings : numpy.ndarray of float32, shape (n_segments, embedding)
            Of unit length.
        starts : numpy.ndarray of float32, shape (n_segments,)
            Seconds.
        """
        hop = max(1, round(hop_seconds * self.front_end.frame_rate))
        starts = segment_starts(len(log_mel), self.frames, hop)
        embedded = []
        self.encoder.eval()
        with torch.inference_mode():
            for first in range(0, len(starts), EMBED_BATCH):
                chosen = starts[first : first + EMBED_BATCH]
                cuts = np.stack([cut_segment(log_mel, start, self.frames) for start in chosen])
                batch = torch.from_numpy(cuts).to(self.device)
                embedded.append(self.encoder(batch).cpu().numpy())
        seconds = (np.array(starts) / self.front_end.frame_rate).astype(np.float32)
        return np.concatenate(embedded), seconds

    def track(
        self, features: RecordingFeatures, hop_seconds: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Embed a recording as a whole.

        Parameters
        ----------
        features : simlib.features.RecordingFeatures
        hop_seconds : float
            Between two segments.

        Returns
        -------
        vector : numpy.ndarray of float32, shape (dimensions,)
            Of unit length, made up as `aspects` says.
        embeddings, starts : numpy.ndarray
            Of the segments, by the encoder alone; see `segments`.
        """
        embeddings, starts = self.segments(features.log_mel, hop_seconds)
        whole = self.whole(features, pool_segments(embeddings))
        parts = {
            "encoder": whole.encoded,
            "descriptor": self._embed(self.descriptor_branch, whole.descriptor),
            "backbones": unit_rows(whole.reduced),
        }
        sound = [np.sqrt(share) * parts[name] for name, (_, share) in self.sound.items()]
        vectors = {SOUND: np.concatenate(sound)}
        for name, subspace in self.subspaces.items():
            vectors[name] = self._embed(subspace, whole.of_subspace(name, self.front_end))
        weights = self.aspects.default
        weighted = [np.sqrt(weights[name]) * vector for name, vector in vectors.items()]
        return np.concatenate(weighted).astype(np.float32), embeddings, starts

    def whole(self, features: RecordingFeatures, encoded: np.ndarray) -> WholeRecording:
        """Return what the branches take of a recording.

        Parameters
        ----------
        features : simlib.features.RecordingFeatures
        encoded : numpy.ndarray of float32, shape (embedding,)
            The encoder's embedding of the recording.
        """
        reduced = self.reduce(features.activations(self.backbones)[None])[0]
        tempogram = compute_tempogram(features.log_mel, self.front_end)
        return WholeRecording(encoded, features.descriptor.mean(axis=0), tempogram, reduced)

    def reduce(self, activations: np.ndarray) -> np.ndarray:
        """Reduce the backbones' activations.

        Parameters
        ----------
        activations : numpy.ndarray of float32, shape (n_recordings, n_activations)

        Returns
        -------
        numpy.ndarray of float32, shape (n_recordings, reduced)
            Without backbones, of shape (n_recordings, 0).
        """
        if self.reduction is None or not len(activations):
            size = 0 if self.reduction is None else self.architecture["reduced"]
            return np.zeros((len(activations), size), dtype=np.float32)
        with torch.inference_mode():
            return self.reduction(torch.from_numpy(activations).to(self.device)).cpu().numpy()

    def new_subspace(self, name: str) -> Branch:
        """Make the branch of a subspace, with random weights."""
        built = self.architecture
        if name == TEMPO:
            return Branch(CYCLIC_BINS, **built["tempo_subspace"]).to(self.device)
        reduced = built["reduced"] if self.backbones else 0
        width = tag_input_size(name, built["encoder"]["embedding"], reduced)
        return Branch(width, **built["tag_subspaces"], reduced=reduced).to(self.device)

    def save(self, path: str | os.PathLike, **provenance: Any) -> None:
        """Write weights and all that is needed to use them as one safetensors file.

        Parameters
        ----------
        path : path-like
        **provenance
            JSON-like facts on how the weights were made; `load` returns them as `provenance`.
        """
        metadata = {
            "front_end": self.front_end.as_dict(),
            "segment_seconds": self.segment_seconds,
            "architecture": self.architecture,
            "subspaces": list(self.subspaces),
            "provenance": provenance,
        }
        # The number of batches serves training only.
        weights = {
            name: tensor.detach().cpu().contiguous()
            for name, tensor in self._modules().state_dict().items()
            if not name.endswith("num_batches_tracked")
        }
        with written_aside(path) as aside:
            # One entry: safetensors keeps several in an order that changes from run to run.
            save_file(weights, aside, {"simlib": json.dumps(metadata, sort_keys=True)})

    @classmethod
    def load(cls, path: str | os.PathLike, hint: str = TRAIN_HINT) -> Embedder:
        """Load what `save` wrote.

        Parameters
        ----------
        path : path-like
        hint : str, optional
            How to fix a file that cannot be loaded.

        Raises
        ------
        SimlibError
            If the file is absent, or holds no weights of this version.
        """
        metadata = read_metadata(path, hint)
        with unfit_refused(path, hint):
            weights = load_file(path)
            front_end = FrontEnd.of(metadata["front_end"])
            digest = digest_of_file(path)
            model = cls(front_end, metadata["segment_seconds"], metadata["architecture"], digest)
            model.subspaces = {name: model.new_subspace(name) for name in metadata["subspaces"]}
            model.provenance = metadata["provenance"]
            result = model._modules().load_state_dict(weights, strict=False)
            absent = [k for k in result.missing_keys if not k.endswith("num_batches_tracked")]
            if absent or result.unexpected_keys:
                wrong = [*absent, *result.unexpected_keys][0]
                raise ValueError(f"its weights do not fit: {wrong}")
            return model

    def _embed(self, branch, features):
        """Embed the features of one recording by a branch."""
        branch.eval()
        with torch.inference_mode():
            return branch(torch.from_numpy(features[None]).to(self.device)).cpu().numpy()[0]

    def _modules(self):
        # Subspaces by number: a column may have a name that a module must not have.
        modules = {
            "encoder": self.encoder,
            "descriptor_branch": self.descriptor_branch,
            "subspaces": nn.ModuleList(self.subspaces.values()),
        }
        if self.backbones:
            modules["reduction"] = self.reduction
        return nn.ModuleDict(modules)


def architecture_of(settings: Any, front_end: FrontEnd) -> dict[str, Any]:
    """Return the architecture that settings ask for, JSON-like; see `Embedder`.

    Parameters
    ----------
    settings : simlib.training.TrainSettings
    front_end : simlib.features.FrontEnd
    """
    branches = {
        name: {key: getattr(getattr(settings, name), key) for key in BUILT_OF} for name in BRANCHES
    }
    return {
        "encoder": {
            "n_mels": front_end.n_mels,
            "channels": list(settings.channels),
            "embedding": settings.embedding,
            "dropout": settings.dropout,
        },
        "backbones": list(settings.backbones),
        "reduced": settings.reduced,
        **branches,
        "shares": settings.shares.as_dict(),
    }
