"""The embedder: the encoder, its branches, and the vector that they make up together."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from simlib.core import SimlibError, digest_of_file, written_aside
from simlib.features import (
    COARSE_BINS,
    CYCLIC_BINS,
    DESCRIPTOR_GROUPS,
    OCTAVES,
    FrontEnd,
    RecordingFeatures,
    best_device,
    compute_tempogram,
    cyclic_tempogram,
    octave_tempogram,
)
from simlib.model.aspects import SOUND, TEMPO, Aspects, subspace_name
from simlib.model.networks import Branch, Encoder
from simlib.model.segments import cut_segment, pool_segments, segment_frames, segment_starts

EMBED_BATCH = 64
# The branches, by their names in `params.yaml` and in the architecture.
BRANCHES = ("descriptor_branch", "tag_subspaces", "tempo_subspace")
DESCRIPTOR_SIZE = sum(DESCRIPTOR_GROUPS)
# Settings of a branch that belong to its architecture; the others are about its training.
BUILT_OF = ("hidden", "embedding", "input_dropout", "dropout", "noise")
# What reading a file that is no encoder, or one of another version, may raise.
UNFIT = (SafetensorError, SimlibError, OSError, ValueError, TypeError, KeyError, RuntimeError)


class Embedder:
    """All that embeds a recording: the encoder, a descriptor branch, and a branch a subspace.

    A few hundred recordings are few for a convolutional network. Chroma and tempogram, which a mel
    spectrogram only hints at, reach the descriptor branch ready-made. Each subspace learns one
    aspect: a tag column, from encoder and hand-crafted features, or the tempo, from a tempogram.
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
    provenance : dict
        How the weights were made, as `save` was given it; empty for new weights.
    """

    def __init__(
        self, front_end: FrontEnd, segment_seconds: float, architecture: dict, digest: str = ""
    ):
        other = (*BRANCHES, "shares")
        own = {key: value for key, value in architecture.items() if key not in other}
        self.encoder = Encoder(**own)
        self.descriptor_branch = Branch(DESCRIPTOR_SIZE, **architecture["descriptor_branch"])
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
    def aspects(self) -> Aspects:
        """How its vectors are made up."""
        built = self.architecture
        sizes = {SOUND: built["embedding"] + built["descriptor_branch"]["embedding"]}
        sizes |= {name: subspace.size for name, subspace in self.subspaces.items()}
        columns = [name for name in self.subspaces if name != TEMPO]
        weights = {name: built["shares"]["tag_columns"] / len(columns) for name in columns}
        if TEMPO in self.subspaces:
            weights[TEMPO] = built["shares"]["tempo"]
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
        encoded, descriptor = pool_segments(embeddings), features.descriptor.mean(axis=0)
        described = self._embed(self.descriptor_branch, descriptor)
        share = self.architecture["shares"]["descriptor"]
        sound = np.concatenate([np.sqrt(1 - share) * encoded, np.sqrt(share) * described])
        vectors, tempogram = {SOUND: sound}, compute_tempogram(features.log_mel, self.front_end)
        for name, subspace in self.subspaces.items():
            inputs = subspace_input(name, encoded, descriptor, tempogram, self.front_end)
            vectors[name] = self._embed(subspace, inputs)
        weights = self.aspects.default
        weighted = [np.sqrt(weights[name]) * vector for name, vector in vectors.items()]
        return np.concatenate(weighted).astype(np.float32), embeddings, starts

    def new_subspace(self, name: str) -> Branch:
        """Make the branch of a subspace, with random weights."""
        if name == TEMPO:
            return Branch(CYCLIC_BINS, **self.architecture["tempo_subspace"]).to(self.device)
        width = self.architecture["embedding"] + DESCRIPTOR_SIZE
        if name == subspace_name(TEMPO):
            width += CYCLIC_BINS + OCTAVES * COARSE_BINS
        return Branch(width, **self.architecture["tag_subspaces"]).to(self.device)

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
    def load(cls, path: str | os.PathLike, hint: str = "run 'make repro' to train one") -> Embedder:
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
        try:
            with safe_open(path, framework="pt") as file:
                metadata = json.loads((file.metadata() or {}).get("simlib", "null"))
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
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
        except FileNotFoundError:
            raise SimlibError(path, "is not there", hint) from None
        except UNFIT as error:
            reason = str(error).splitlines()[0]
            raise SimlibError(path, f"holds no encoder of this version ({reason})", hint) from None
        return model

    def _embed(self, branch, features):
        """Embed the features of one recording by a branch."""
        branch.eval()
        with torch.inference_mode():
            return branch(torch.from_numpy(features[None]).to(self.device)).cpu().numpy()[0]

    def _modules(self):
        # Subspaces by number: a column may have a name that a module must not have.
        return nn.ModuleDict(
            {
                "encoder": self.encoder,
                "descriptor_branch": self.descriptor_branch,
                "subspaces": nn.ModuleList(self.subspaces.values()),
            }
        )


def subspace_input(
    name: str,
    encoded: np.ndarray,
    features: np.ndarray,
    tempogram: np.ndarray,
    front_end: FrontEnd,
) -> np.ndarray:
    """Return the input of a subspace's branch.

    Parameters
    ----------
    name : str
    encoded : numpy.ndarray of float32, shape (embedding,)
        The encoder's embedding of the whole recording.
    features : numpy.ndarray of float32, shape (102,)
        The recording's hand-crafted features.
    tempogram : numpy.ndarray of float64, shape (n_lags,)
        From `simlib.features.compute_tempogram`.
    front_end : simlib.features.FrontEnd

    Returns
    -------
    numpy.ndarray of float32, shape (n_features,)
    """
    if name == TEMPO:
        return cyclic_tempogram(tempogram, front_end)
    inputs = [encoded, features]
    if name == subspace_name(TEMPO):
        # A column of that name needs the tempo, which features averaged over time have lost.
        folded = (cyclic_tempogram, octave_tempogram)
        inputs += [fold(tempogram, front_end) for fold in folded]
    return np.concatenate(inputs)


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
        "n_mels": front_end.n_mels,
        "channels": list(settings.channels),
        "embedding": settings.embedding,
        "dropout": settings.dropout,
        **branches,
        "shares": settings.shares.as_dict(),
    }
