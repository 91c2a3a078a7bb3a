"""The network: log-mel segments and hand-picked features in, unit embeddings out."""

import json

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from simlib import artefacts, tempo
from simlib.artefacts import SimlibError, written_aside
from simlib.aspects import SOUND, TEMPO, Aspects, part_of
from simlib.features import DESCRIPTOR_GROUPS
from simlib.settings import BranchSettings, ExtractSettings

EMBED_BATCH = 64
# Of a cosine between two recordings: what the parts of tag columns share, the tempo's share, and
# the describer's share of the rest.
PARTS_SHARE, TEMPO_SHARE, DESCRIBER_SHARE = 0.45, 0.03, 0.4
# Branches, by what they are called among the settings.
BRANCHES = {"describer": "descriptor", "parts": "parts", "tempo": "tempo"}
DESCRIPTOR_SIZE = sum(DESCRIPTOR_GROUPS)
# What of a branch's settings makes it what it is; the others say how it is trained.
BUILT_OF = ("hidden", "embedding", "input_dropout", "dropout", "noise")
# Hand-picked features further from their mean than so many deviations say no more by it.
FARTHEST = 5.0
# Log-mel frames lie between -100 and 40 dB; divided so, activations begin near unit size.
SCALE_DB = 20.0
# What reading a file that is no encoder, or one of another version, may raise.
_UNFIT = (SafetensorError, SimlibError, OSError, ValueError, TypeError, KeyError, RuntimeError)


class Encoder(nn.Module):
    """One branch of the Siamese network; the twins share it.

    A strided convolution, then blocks of convolution, pooling, batch normalisation and ReLU; the
    mean and the maximum over time, and a linear map to the embedding. Segments are taken relative
    to their own mean level, so that loudness does not count.

    Parameters
    ----------
    n_mels : int
    channels : list of int
        Output channels of the strided convolution and of each block; each halves both axes.
    embedding : int
        Dimensions of the embedding.
    dropout : float
    """

    def __init__(self, n_mels, channels, embedding, dropout):
        super().__init__()
        before = channels[0]
        blocks = [
            nn.Conv2d(1, before, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(before),
            nn.ReLU(),
        ]
        for after in channels[1:]:
            blocks += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                # Pooled first, the rest has a quarter to do: training takes little over half.
                nn.MaxPool2d(2, ceil_mode=True),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
            before = after
        self.blocks = nn.Sequential(*blocks)
        bands = -(-n_mels // 2 ** len(channels))
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(2 * before * bands, embedding)
        # Channels last in memory halves the time of a training step on a CPU.
        self.to(memory_format=torch.channels_last)

    def forward(self, segments):
        """Embed segments.

        Parameters
        ----------
        segments : torch.Tensor of float32, shape (n_segments, n_frames, n_mels)
            Log-mel in dB.

        Returns
        -------
        torch.Tensor of float32, shape (n_segments, embedding)
            Of unit length.
        """
        return nn.functional.normalize(self.raw(segments), dim=1)

    def raw(self, segments):
        """Embed segments, not yet at unit length; see `forward`."""
        level = segments.mean(dim=(1, 2), keepdim=True)
        image = ((segments - level) / SCALE_DB).unsqueeze(1)
        maps = self.blocks(image.to(memory_format=torch.channels_last))
        # (n, channels, time, bands): bands stay apart, time is summed up.
        pooled = torch.cat([maps.mean(dim=2), maps.amax(dim=2)], dim=1).flatten(1)
        return self.project(self.dropout(pooled)).float()


class Branch(nn.Module):
    """A small network on features of a recording as a whole.

    Parameters
    ----------
    features : int
        Dimensions of what comes in.
    hidden, embedding : int
        Units of the hidden layer, and dimensions of the embedding.
    input_dropout, dropout : float
        Shares of the features and of the hidden units that training drops.
    noise : float
        Deviation of the noise that training adds to the scaled features.
    """

    def __init__(self, features, hidden, embedding, input_dropout, dropout, noise):
        super().__init__()
        self.noise, self.size = noise, embedding
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.layers = nn.Sequential(
            nn.Dropout(input_dropout),
            nn.Linear(features, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, embedding),
        )

    def scale_by(self, features):
        """Take mean and deviation of the features from these: float32, shape (n, features)."""
        deviation = features.std(axis=0)
        self.mean.copy_(torch.from_numpy(features.mean(axis=0)))
        self.deviation.copy_(torch.from_numpy(np.where(deviation > 0, deviation, 1.0)))

    def forward(self, features):
        """Embed recordings.

        Parameters
        ----------
        features : torch.Tensor of float32, shape (n, features)

        Returns
        -------
        torch.Tensor of float32, shape (n, embedding)
            Of unit length.
        """
        scaled = ((features - self.mean) / self.deviation).clamp(-FARTHEST, FARTHEST)
        if self.training:
            scaled = scaled + self.noise * torch.randn_like(scaled)
        return nn.functional.normalize(self.layers(scaled), dim=1)


class Model:
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
        By name, see `simlib.aspects`; those of tag columns on what the encoder makes of the whole
        recording and on the hand-picked features.
    front_end : simlib.settings.ExtractSettings
        What its log-mel frames are made with.
    segment_seconds : float
        Length of the segments that it was trained on.
    architecture : dict
        From `architecture`, so that a file of weights can be loaded by itself.
    digest : str, optional
        Of the file of weights; "" for weights that have none.
    """

    def __init__(
        self, encoder, describer, parts, front_end, segment_seconds, architecture, digest=""
    ):
        self.encoder, self.describer, self.parts = encoder, describer, parts
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
        encoder, describer = _branches(architecture)
        return cls(encoder, describer, {}, front_end, segment_seconds, architecture)

    @property
    def aspects(self):
        """How its vectors are made up: a `simlib.aspects.Aspects`."""
        built = self.architecture
        sizes = {SOUND: built["embedding"] + built["describer"]["embedding"]}
        sizes |= {name: part.size for name, part in self.parts.items()}
        columns = [name for name in self.parts if name != TEMPO]
        weights = {name: PARTS_SHARE / len(columns) for name in columns}
        if TEMPO in self.parts:
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
                    cut(log_mel, start, self.frames)
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
        heard, features = whole(embeddings), np.asarray(descriptor).mean(axis=0)
        described = self._seen(self.describer, features)
        share = DESCRIBER_SHARE
        sound = np.concatenate([np.sqrt(1 - share) * heard, np.sqrt(share) * described])
        views, pulse = {SOUND: sound}, tempo.tempogram(log_mel, self.front_end)
        for name, part in self.parts.items():
            views[name] = self._seen(part, self.part_input(name, heard, features, pulse))
        weights = self.aspects.default
        weighed = [np.sqrt(weights[name]) * view for name, view in views.items()]
        return np.concatenate(weighed).astype(np.float32), embeddings, starts

    def part_input(self, name, heard, features, tempogram):
        """Return what a part looks at.

        Parameters
        ----------
        name : str
        heard : numpy.ndarray of float32, shape (embedding,)
            What the encoder makes of the whole recording.
        features : numpy.ndarray of float32, shape (102,)
            The recording's hand-picked features.
        tempogram : numpy.ndarray of float64, shape (n_lags,)
            From `simlib.tempo.tempogram`.

        Returns
        -------
        numpy.ndarray of float32, shape (n_features,)
        """
        if name == TEMPO:
            return tempo.cyclic(tempogram, self.front_end)
        seen = [heard, features]
        if name == part_of(TEMPO):
            # A column of that name is about what features averaged over minutes cannot tell.
            seen += [see(tempogram, self.front_end) for see in (tempo.cyclic, tempo.spread)]
        return np.concatenate(seen)

    def _seen(self, branch, features):
        """Embed the features of one recording."""
        branch.eval()
        with torch.inference_mode():
            return branch(torch.from_numpy(features[None]).to(self.device)).cpu().numpy()[0]

    def new_part(self, name):
        """Make the branch of a part, with random weights."""
        if name == TEMPO:
            return Branch(tempo.BINS, **self.architecture["tempo"]).to(self.device)
        width = self.architecture["embedding"] + DESCRIPTOR_SIZE
        if name == part_of(TEMPO):
            width += tempo.BINS + tempo.OCTAVES * tempo.COARSE_BINS
        return Branch(width, **self.architecture["parts"]).to(self.device)

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
            "parts": list(self.parts),
            "provenance": provenance,
        }
        weights = {name: t.detach().cpu().contiguous() for name, t in self._weights().items()}
        with written_aside(path) as aside:
            # One entry: safetensors keeps several in an order that changes from run to run.
            save_file(weights, aside, {"simlib": json.dumps(metadata, sort_keys=True)})

    def _modules(self):
        # By number: a column may have a name that is none for a module.
        parts = nn.ModuleList(self.parts.values())
        return nn.ModuleDict({"encoder": self.encoder, "describer": self.describer, "parts": parts})

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
        mend = "run 'make repro' to train one"
        try:
            with safe_open(path, framework="pt") as file:
                metadata = json.loads((file.metadata() or {}).get("simlib", "null"))
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            front_end = ExtractSettings.of(metadata["front_end"])
            segment_seconds, provenance = metadata["segment_seconds"], metadata["provenance"]
            model = cls(
                *_branches(metadata["architecture"]), {}, front_end, segment_seconds,
                metadata["architecture"], artefacts.digest_of_file(path),
            )  # fmt: skip
            model.parts = {name: model.new_part(name) for name in metadata["parts"]}
            result = model._modules().load_state_dict(weights, strict=False)
            wrong = [k for k in result.missing_keys if not k.endswith("num_batches_tracked")]
            if wrong or result.unexpected_keys:
                raise ValueError(f"its weights do not fit: {[*wrong, *result.unexpected_keys][0]}")
        except FileNotFoundError:
            raise SimlibError(path, "is not there", mend) from None
        except _UNFIT as error:
            reason = str(error).splitlines()[0]
            raise SimlibError(path, f"holds no encoder of this version ({reason})", mend) from None
        model.provenance = provenance
        return model


def architecture(settings, front_end):
    """Return what a model is built of that settings ask for; see `Model`.

    Parameters
    ----------
    settings : simlib.settings.TrainSettings
    front_end : simlib.settings.ExtractSettings

    Returns
    -------
    dict
    """
    branches = {
        name: {
            key: value
            for key, value in BranchSettings.of(getattr(settings, section)).as_dict().items()
            if key in BUILT_OF
        }
        for name, section in BRANCHES.items()
    }
    return {
        "n_mels": front_end.n_mels,
        "channels": settings.channels,
        "embedding": settings.embedding,
        "dropout": settings.dropout,
        **branches,
    }


def _branches(architecture):
    own = {k: v for k, v in architecture.items() if k not in BRANCHES}
    return Encoder(**own), Branch(DESCRIPTOR_SIZE, **architecture["describer"])


def best_device():
    """Return the device to compute on: CUDA, Apple's MPS, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def precision(device):
    """Return the dtype that training computes in where it may: bfloat16 where that is quick.

    On a CPU without instructions for it, bfloat16 is emulated and slower than float32.
    """
    if device.type == "cuda":
        quick = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capable = torch.cpu.get_capabilities() if device.type == "cpu" else {}
        quick = capable.get("amx_bf16", False) or capable.get("avx512_bf16", False)
    return torch.bfloat16 if quick else torch.float32


def segment_frames(seconds, front_end):
    """Return the number of spectrogram frames in a segment of so many seconds."""
    return round(seconds * front_end.frame_rate)


def segment_starts(available, frames, hop):
    """First frames of the segments of a recording: every `hop`, and one that ends with it.

    Parameters
    ----------
    available, frames, hop : int
        Frames of the recording, of a segment, and between two segments.

    Returns
    -------
    list of int
    """
    last = max(0, available - frames)
    starts = list(range(0, last + 1, hop))
    return starts if starts[-1] == last else [*starts, last]


def cut(log_mel, start, frames):
    """Cut a segment; a recording that is too short is repeated.

    Parameters
    ----------
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
    start, frames : int

    Returns
    -------
    numpy.ndarray of float32, shape (frames, n_mels)
    """
    segment = np.asarray(log_mel[start : start + frames], dtype=np.float32)
    if len(segment) < frames:
        segment = np.resize(segment, (frames, segment.shape[1]))
    return segment


def whole(embeddings):
    """Pool the segments of one recording: their mean, back at unit length.

    Parameters
    ----------
    embeddings : numpy.ndarray of float32, shape (n_segments, embedding)

    Returns
    -------
    numpy.ndarray of float32, shape (embedding,)
    """
    mean = embeddings.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)
