"""The network: log-mel segments and hand-picked features in, unit embeddings out."""

import json

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
    compute_tempogram,
    cyclic_tempogram,
    octave_tempogram,
)
from simlib.model.aspects import SOUND, TEMPO, Aspects, subspace_name
from simlib.model.networks import Branch, Encoder, best_device
from simlib.model.segments import cut_segment, pool_segments, segment_frames, segment_starts

EMBED_BATCH = 64
# Of a cosine between two recordings: what the parts of tag columns share, the tempo's share, and
# the describer's share of the rest.
SUBSPACES_SHARE, TEMPO_SHARE, DESCRIPTOR_SHARE = 0.45, 0.03, 0.4
# Branches, by what they are called among the settings.
BRANCHES = ("descriptor_branch", "tag_subspaces", "tempo_subspace")
DESCRIPTOR_SIZE = sum(DESCRIPTOR_GROUPS)
# What of a branch's settings makes it what it is; the others say how it is trained.
BUILT_OF = ("hidden", "embedding", "input_dropout", "dropout", "noise")
# What reading a file that is no encoder, or one of another version, may raise.
_UNFIT = (SafetensorError, SimlibError, OSError, ValueError, TypeError, KeyError, RuntimeError)


class Embedder:
    """All that embeds a recording: the encoder, and small branches beside it and on top of it.

    A few hundred recordings are few for a convolutional network; chroma and tempogram, which a
    mel spectrogram only hints at, come ready-made to the describer. Each part then learns one
    aspect of being alike: a tag column from both of them, or the tempo from a tempogram.

    Parameters
    ----------
    encoder : Encoder
        On segments.
    describer : Branch
        On the recording's hand-picked features.
    parts : dict of str to Branch
        By name, see `simlib.model.aspects`. Those of tag columns take what the encoder makes of
        the whole recording, and the hand-picked features.
    front_end : simlib.features.FrontEnd
        What its log-mel frames are made with.
    segment_seconds : float
        Length of the segments that it was trained on.
    architecture : dict
        From `architecture_of`, so that a file of weights can be loaded by itself.
    digest : str, optional
        Of the file of weights; "" for weights that have none.
    """

    def __init__(
        self,
        encoder,
        descriptor_branch,
        subspaces,
        front_end,
        segment_seconds,
        architecture,
        digest="",
    ):
        self.encoder, self.descriptor_branch, self.subspaces = encoder, descriptor_branch, subspaces
        self.front_end = front_end
        self.segment_seconds = segment_seconds
        self.architecture = architecture
        self.digest = digest
        self.device = best_device()
        self._modules().to(self.device)

    @classmethod
    def untrained(cls, front_end, segment_seconds, architecture, seed):
        """Make a model with random weights, and no parts: those are learned from tags."""
        torch.manual_seed(seed)
        encoder, descriptor_branch = _branches(architecture)
        return cls(encoder, descriptor_branch, {}, front_end, segment_seconds, architecture)

    @property
    def aspects(self):
        """How its vectors are made up: a `simlib.model.Aspects`."""
        built = self.architecture
        sizes = {SOUND: built["embedding"] + built["descriptor_branch"]["embedding"]}
        sizes |= {name: subspace.size for name, subspace in self.subspaces.items()}
        columns = [name for name in self.subspaces if name != TEMPO]
        weights = {name: SUBSPACES_SHARE / len(columns) for name in columns}
        if TEMPO in self.subspaces:
            weights[TEMPO] = TEMPO_SHARE
        return Aspects(sizes, {SOUND: 1.0 - sum(weights.values()), **weights})

    @property
    def frames(self):
        """Frames of a segment."""
        return segment_frames(self.segment_seconds, self.front_end)

    def segments(self, log_mel, hop_seconds):
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
                batch = [
                    cut_segment(log_mel, start, self.frames)
                    for start in starts[first : first + EMBED_BATCH]
                ]
                batch = torch.from_numpy(np.stack(batch)).to(self.device)
                embedded.append(self.encoder(batch).cpu().numpy())
        seconds = (np.array(starts) / self.front_end.frame_rate).astype(np.float32)
        return np.concatenate(embedded), seconds

    def track(self, log_mel, descriptor, hop_seconds):
        """Embed a recording as a whole.

        Parameters
        ----------
        log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
        descriptor : numpy.ndarray of float32, shape (n_blocks, 102)
        hop_seconds : float
            Between two segments.

        Returns
        -------
        vector : numpy.ndarray of float32, shape (dimensions,)
            Of unit length, made up as `aspects` says; `DESCRIBER_SHARE` of the first part is the
            describer's, the rest the encoder's.
        embeddings, starts : numpy.ndarray
            Of the segments, by the encoder alone; see `segments`.
        """
        embeddings, starts = self.segments(log_mel, hop_seconds)
        heard, features = pool_segments(embeddings), np.asarray(descriptor).mean(axis=0)
        described = self._seen(self.descriptor_branch, features)
        share = DESCRIPTOR_SHARE
        sound = np.concatenate([np.sqrt(1 - share) * heard, np.sqrt(share) * described])
        views, pulse = {SOUND: sound}, compute_tempogram(log_mel, self.front_end)
        for name, subspace in self.subspaces.items():
            views[name] = self._seen(subspace, self.subspace_input(name, heard, features, pulse))
        weights = self.aspects.default
        weighed = [np.sqrt(weights[name]) * view for name, view in views.items()]
        return np.concatenate(weighed).astype(np.float32), embeddings, starts

    def subspace_input(self, name, heard, features, tempogram):
        """Return what a part looks at.

        Parameters
        ----------
        name : str
        heard : numpy.ndarray of float32, shape (embedding,)
            What the encoder makes of the whole recording.
        features : numpy.ndarray of float32, shape (102,)
            The recording's hand-picked features.
        tempogram : numpy.ndarray of float64, shape (n_lags,)
            From `simlib.features.compute_tempogram`.

        Returns
        -------
        numpy.ndarray of float32, shape (n_features,)
        """
        if name == TEMPO:
            return cyclic_tempogram(tempogram, self.front_end)
        seen = [heard, features]
        if name == subspace_name(TEMPO):
            # A column of that name is about what features averaged over minutes cannot tell.
            seen += [see(tempogram, self.front_end) for see in (cyclic_tempogram, octave_tempogram)]
        return np.concatenate(seen)

    def _seen(self, branch, features):
        """Embed the features of one recording."""
        branch.eval()
        with torch.inference_mode():
            return branch(torch.from_numpy(features[None]).to(self.device)).cpu().numpy()[0]

    def new_subspace(self, name):
        """Make the branch of a part, with random weights."""
        if name == TEMPO:
            return Branch(CYCLIC_BINS, **self.architecture["tempo_subspace"]).to(self.device)
        width = self.architecture["embedding"] + DESCRIPTOR_SIZE
        if name == subspace_name(TEMPO):
            width += CYCLIC_BINS + OCTAVES * COARSE_BINS
        return Branch(width, **self.architecture["tag_subspaces"]).to(self.device)

    def save(self, path, **provenance):
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
        weights = {name: t.detach().cpu().contiguous() for name, t in self._weights().items()}
        with written_aside(path) as aside:
            # One entry: safetensors keeps several in an order that changes from run to run.
            save_file(weights, aside, {"simlib": json.dumps(metadata, sort_keys=True)})

    def _modules(self):
        # By number: a column may have a name that is none for a module.
        subspaces = nn.ModuleList(self.subspaces.values())
        return nn.ModuleDict(
            {
                "encoder": self.encoder,
                "descriptor_branch": self.descriptor_branch,
                "subspaces": subspaces,
            }
        )

    def _weights(self):
        # The count of batches seen serves training only.
        return {
            name: tensor
            for name, tensor in self._modules().state_dict().items()
            if not name.endswith("num_batches_tracked")
        }

    @classmethod
    def load(cls, path):
        """Load what `save` wrote.

        Raises
        ------
        SimlibError
            If the file is absent, or no weights of this program.
        """
        hint = "run 'make repro' to train one"
        try:
            with safe_open(path, framework="pt") as file:
                metadata = json.loads((file.metadata() or {}).get("simlib", "null"))
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            front_end = FrontEnd.of(metadata["front_end"])
            segment_seconds, provenance = metadata["segment_seconds"], metadata["provenance"]
            model = cls(
                *_branches(metadata["architecture"]), {}, front_end, segment_seconds,
                metadata["architecture"], digest_of_file(path),
            )  # fmt: skip
            model.subspaces = {name: model.new_subspace(name) for name in metadata["subspaces"]}
            result = model._modules().load_state_dict(weights, strict=False)
            wrong = [k for k in result.missing_keys if not k.endswith("num_batches_tracked")]
            if wrong or result.unexpected_keys:
                raise ValueError(f"its weights do not fit: {[*wrong, *result.unexpected_keys][0]}")
        except FileNotFoundError:
            raise SimlibError(path, "is not there", hint) from None
        except _UNFIT as error:
            reason = str(error).splitlines()[0]
            raise SimlibError(path, f"holds no encoder of this version ({reason})", hint) from None
        model.provenance = provenance
        return model


def architecture_of(settings, front_end):
    """Return what a model is built of that settings ask for; see `Embedder`.

    Parameters
    ----------
    settings : simlib.training.TrainSettings
    front_end : simlib.features.FrontEnd

    Returns
    -------
    dict
    """
    branches = {
        name: {
            key: value
            for key, value in getattr(settings, name).as_dict().items()
            if key in BUILT_OF
        }
        for name in BRANCHES
    }
    return {
        "n_mels": front_end.n_mels,
        "channels": list(settings.channels),
        "embedding": settings.embedding,
        "dropout": settings.dropout,
        **branches,
    }


def _branches(architecture):
    own = {k: v for k, v in architecture.items() if k not in BRANCHES}
    return Encoder(**own), Branch(DESCRIPTOR_SIZE, **architecture["descriptor_branch"])
