"""What the tests are made of: short recordings, small settings, tables, a store without audio."""

import hashlib
import json
from fractions import Fraction

import av
import faiss
import numpy as np
import pandas as pd
import soundfile as sf

from simlib.evaluation import EvaluateSettings, Evaluation
from simlib.features import SHIPPED, ExtractSettings, FeatureStore, FrontEnd, load_card
from simlib.index import DEFAULT_HUBS, Fingerprints, Index, IndexOrigin, IndexSettings
from simlib.model import Aspects
from simlib.relevance import SplitSettings
from simlib.search import SearchSettings
from simlib.training import TrainSettings

RATE = 8000

FRONT_END = {
    "sample_rate": RATE,
    "n_fft": 512,
    "hop_length": 256,
    "n_mels": 32,
    "f_min": 50.0,
    "f_max": 4000.0,
    "min_seconds": 0.5,
}
EXTRACT = FRONT_END | {
    "silence_dbfs": -80.0,
    "degraded": {"seconds": 30.0, "snr_db": [5.0, 25.0], "reverberation_seconds": [0.3, 1.5]},
}
DEGRADE = {
    "noise_db": [0.0, 25.0],
    "low_cut": [0.0, 0.12],
    "high_cut": [0.2, 0.45],
    "cut_db": [30.0, 120.0],
    "decay_frames": [15.0, 70.0],
}
NO_AUGMENTATION = {
    "gain_db": 0.0,
    "tilt_db": 0.0,
    "pitch_bands": 0,
    "stretch": 0.0,
    "time_mask": 0.0,
    "band_mask": 0.0,
    "mix_probability": 0.0,
    "mix_db": [6.0, 20.0],
    "degrade_probability": 0.0,
    "degrade": DEGRADE,
}
AUGMENTATION = {
    "gain_db": 3.0,
    "tilt_db": 3.0,
    "pitch_bands": 1,
    "stretch": 0.1,
    "time_mask": 0.2,
    "band_mask": 0.2,
    "mix_probability": 0.3,
    "mix_db": [6.0, 20.0],
    "degrade_probability": 0.3,
    "degrade": DEGRADE,
}
BRANCH = {
    "hidden": 16,
    "embedding": 8,
    "input_dropout": 0.2,
    "dropout": 0.2,
    "noise": 0.1,
    "steps": 20,
    "learning_rate": 0.01,
}
SHARES = {
    "tag_columns": 0.45,
    "tempo": 0.03,
    "columns": {"default": 1.0},
    "sound": {"encoder": 0.6, "descriptor": 0.4, "backbones": 1.0},
}
BUILT_BRANCH = {k: v for k, v in BRANCH.items() if k not in ("steps", "learning_rate")}
# What a model for these settings is built of.
ARCHITECTURE = {
    "encoder": {"n_mels": 32, "channels": [4, 8], "embedding": 8, "dropout": 0.0},
    "backbones": [],
    "reduced": 16,
    "descriptor_branch": BUILT_BRANCH,
    "tag_subspaces": {
        "hidden": 16, "embedding": 4, "input_dropout": 0.0, "dropout": 0.0, "noise": 0.0,
    },
    "tempo_subspace": {
        "hidden": 16, "embedding": 4, "input_dropout": 0.0, "dropout": 0.0, "noise": 0.0,
    },
    "shares": SHARES,
}  # fmt: skip
TRAIN = {
    "init": "random",
    "backbones": [],
    "segment_seconds": 0.5,
    "channels": [4, 8],
    "embedding": 8,
    "dropout": 0.1,
    "positives": {"recording": 1.0, "artist": 0.5, "tags": {"default": 1.0}},
    "temperature": 0.2,
    "tag_loss_weight": 0.5,
    "tag_recordings": 3,
    "reduced": 16,
    "descriptor_branch": BRANCH,
    "tag_subspaces": BRANCH | {"embedding": 4},
    "tempo_subspace": BRANCH | {"embedding": 4},
    "shares": SHARES,
    "branch_batch_size": 256,
    "encoder_dropout": 0.5,
    "augmentation": AUGMENTATION,
    "epochs": 4,
    "segments_per_track": 4,
    "batch_size": 8,
    "learning_rate": 0.01,
    "weight_decay": 0.01,
    "warm_up": 0.05,
    "fine_tuning_rate": 0.3,
    "ema_decay": 0.5,
    "validate_every": 1,
    "keep_from": 0.5,
    "patience": 10,
    "fewest_validation": 0,
    "seed": 0,
}


INDEX = {
    "hop_seconds": 0.25,
    "weights": {},
    "candidates": 2000,
    "hubs": DEFAULT_HUBS.as_dict(),
    "fingerprints": {
        "candidate_correlation": 0.5,
        "candidates": 20,
        "match_correlation": 0.6,
        "extend_correlation": 0.45,
        "extend_loss": 3.0,
        "drift_penalty": 0.02,
        "shortest_seconds": 3.0,
        "speed_change": 0.1,
        "near_duplicate_share": 0.5,
    },
    "calibration": {
        "references": 1000,
        "neighbours": 3,
        "prior_artists": 60,
        "queries": 200,
        "false_alarms": 0.05,
        "closest_share": 0.3,
        "fewest": 10,
    },
    "map": {"perplexity": 30.0, "sample": 25000, "seed": 0},
}

SEARCH = {
    "excerpt_seconds": 10.0,
    "matched_segments": 3,
    "near_duplicate_candidates": 30,
    "diversity_pool": 5,
    "agreement": {"aspect_temperature": 0.5, "query_temperature": 0.8},
    "playlists": {"candidates": 1000, "line_points": 10, "artist_gap": 5, "choice": 10},
}


def index_settings(**changes):
    """Settings of the index; a mapping changes keys of a nested section."""
    values = dict(INDEX)
    for key, value in changes.items():
        values[key] = INDEX[key] | value if isinstance(value, dict) else value
    return IndexSettings.of(values)


def search_settings(**changes):
    return SearchSettings.of(SEARCH | changes)


def playlist_settings(**changes):
    return search_settings(playlists=SEARCH["playlists"] | changes).playlists


def hub_settings(**changes):
    return index_settings(hubs=changes).hubs


def index_of(vectors, table=None, digest="digest", **changes):
    """An index of embeddings, of any tracks, with a part for the sound and one for the tempo."""
    table = tracks(len(vectors)) if table is None else table.reset_index(drop=True)
    segments = pd.DataFrame({"track": range(len(table)), "start": 0.0})
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    aspects = Aspects({"sound": 5, "tempo": 3}, {"sound": 0.7, "tempo": 0.3})
    settings = index_settings(**changes)
    none = [np.zeros((0, 32), dtype=np.int8)] * len(table)
    fingerprints = Fingerprints.of_all(none, 10.0, settings.fingerprints)
    origin = IndexOrigin(digest, aspects, settings)
    return Index(table, segments, flat, flat, fingerprints, origin)


def front_end(**changes):
    return FrontEnd.of(FRONT_END | changes)


def extract_settings(**changes):
    return ExtractSettings.of(EXTRACT | changes)


def train_settings(**changes):
    return TrainSettings.of(TRAIN | changes)


def split_settings(**changes):
    return SplitSettings.of({"test": 0.25, "validation": 0.15, "seed": 0} | changes)


EVALUATE = {
    "k": 3,
    "bootstrap": 200,
    "seed": 0,
    "queries": 2000,
    "exact_tracks": 20000,
    "most_tracks": 5000,
    "robustness": {"queries": 40, "seconds": 40.0},
    "tag_study": {
        "false_discoveries": 0.05,
        "fewest_artists": 5,
        "relevant_odds_ratio": 3.0,
        "least_attraction": 0.5,
    },
}


def evaluate_settings(**changes):
    return EvaluateSettings.of(EVALUATE | changes)


def tone(seconds=1.0, frequency=440.0, rate=RATE, level=0.3):
    """A sine: float32, shape (n_samples,)."""
    times = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def chord(seconds=1.0, root=220.0, rate=RATE):
    """A major triad with a slow tremolo."""
    subspaces = sum(tone(seconds, root * ratio, rate, 0.15) for ratio in (1, 5 / 4, 3 / 2))
    times = np.arange(len(subspaces)) / rate
    return (subspaces * (0.75 + 0.25 * np.cos(2 * np.pi * 2 * times))).astype(np.float32)


def bursts(seconds=1.0, rate=RATE, per_second=4.0, seed=0):
    """Noise in bursts, like a drum machine with one sound."""
    noise = np.random.default_rng(seed).standard_normal(round(seconds * rate)) * 0.2
    phase = (np.arange(len(noise)) / rate * per_second) % 1
    return (noise * np.exp(-8 * phase)).astype(np.float32)


def melody(seconds, seed, rate=RATE):
    """Chords and noises, each a fifth of a second, as a seed has them: like nothing else."""
    rng = np.random.default_rng(seed)
    roots = 110 * 2 ** (rng.integers(0, 36, round(5 * seconds)) / 12)
    notes = [
        chord(0.2, root, rate) + rng.uniform(0, 1) * bursts(0.2, rate, 5.0, int(root))
        for root in roots
    ]
    return np.concatenate(notes)


def in_blocks(sound, sizes):
    """Cut a sound into blocks of these sizes, again and again."""
    bounds = np.cumsum(np.resize([size or 1 for size in sizes], len(sound)))
    return np.split(sound, bounds[bounds < len(sound)])


def clicks(seconds, bpm, rate):
    """A click track."""
    samples = np.zeros(round(seconds * rate), dtype=np.float32)
    for start in np.arange(0, seconds - 0.1, 60 / bpm):
        first = round(start * rate)
        samples[first : first + 200] = np.hanning(200) * np.resize([0.8, -0.8], 200)
    return samples


def write(path, samples, rate=RATE, **options):
    """Write a recording with libsndfile and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, samples, rate, **options)
    return path


# Codec and sample rate of the formats that PyAV writes.
AV_FORMATS = {
    ".m4a": ("aac", 44100),
    ".mp4": ("aac", 44100),
    ".aac": ("aac", 44100),
    ".wma": ("wmav2", 44100),
    ".webm": ("libopus", 48000),
}


def write_av(path, seconds=1.0, frequency=440.0, sound=None):
    """Write a stereo sine, or a mono sound twice, with the codec of the name's suffix."""
    codec, rate = AV_FORMATS[path.suffix]
    mono = tone(seconds, frequency, rate) if sound is None else sound
    return mux(path, np.stack([mono] * 2), rate, codec, bit_rate=128_000)


def write_constant_mp3(path, seconds=3.0, rate=44100):
    """Write an MP3 of constant bit rate without a Xing header, as old encoders and radios did."""
    options = {"write_xing": "0"}
    return mux(path, tone(seconds, rate=rate)[None], rate, "libmp3lame", options, bit_rate=64_000)


def mux(
    target,
    channels,
    rate,
    codec,
    options=None,
    *,
    format=None,
    bit_rate=None,
    pictures=0,
    pipe=False,
):
    """Encode channels by PyAV; `pictures` are seconds of video beside them, `pipe` cannot seek."""
    layout = "mono" if len(channels) == 1 else "stereo"
    output = _Pipe(target) if pipe else str(target)
    with av.open(output, "w", format=format, options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if bit_rate:
            stream.bit_rate = bit_rate
        if pictures:
            film = container.add_stream("libvpx" if str(target).endswith("webm") else "mpeg4", 10)
            film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
            for number in range(int(10 * pictures)):
                image = np.full((48, 64, 3), number % 256, dtype=np.uint8)
                container.mux(film.encode(av.VideoFrame.from_ndarray(image)))
            container.mux(film.encode(None))
        size, form = stream.codec_context.frame_size or 1024, stream.codec_context.format.name
        resampler = av.AudioResampler(form, layout, rate)
        for first in range(0, channels.shape[1], size):
            part = np.ascontiguousarray(channels[:, first : first + size], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
            for converted in resampler.resample(frame):
                container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    return target


class _Pipe:
    """A file that can only be written from its start to its end, as a pipe."""

    def __init__(self, path):
        self.stream = open(path, "wb")  # noqa: SIM115 - PyAV closes it.

    def write(self, data):
        return self.stream.write(data)

    def close(self):
        self.stream.close()


def peak_frequency(samples, rate):
    """The frequency, in Hz, that is loudest in a recording."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * rate / len(samples)


def tracks(count, **columns):
    """A tracks table of `count` recordings t00, t01, ...; every one has its own artist."""
    names = [f"t{i:02d}" for i in range(count)]
    known = {
        "track_id": names,
        "path": [f"audio/{name}.wav" for name in names],
        "title": [name.upper() for name in names],
        "artist": [f"artist {name}" for name in names],
        "album": [""] * count,
    }
    table = {name: pd.array(list(values), dtype="str") for name, values in known.items()}
    for name, values in columns.items():
        is_text = all(isinstance(v, str) for v in values)
        table[name] = pd.array(list(values), dtype="str" if is_text else "float64")
    return pd.DataFrame(table)


def evaluation_of(seed=0, count=12, **settings):
    """An evaluation of made-up tracks with two tag columns."""
    rng = np.random.default_rng(seed)
    table = tracks(
        count,
        artist=[f"artist {i}" for i in rng.integers(0, max(2, count // 2), count)],
        genre=rng.choice(["rock", "jazz", "folk", ""], count).tolist(),
        mood=rng.choice(["calm", "wild", "calm;wild", "sad"], count).tolist(),
    )
    return Evaluation(table, ["genre", "mood"], evaluate_settings(**settings))


def similarity_of(evaluation, seed=0):
    """Similarities that mean nothing."""
    return np.random.default_rng(seed).random((len(evaluation.tracks),) * 2)


def store_of(folder, log_mels, table, settings):
    """Make a store, without audio, of log-mel spectrograms; row i of the table has the i-th."""
    store = FeatureStore(folder)
    keys = [hashlib.sha256(str(i).encode()).hexdigest()[:32] for i in range(len(table))]
    for key, log_mel in zip(keys, log_mels, strict=True):
        store.path("log_mel", key).parent.mkdir(parents=True, exist_ok=True)
        np.save(store.path("log_mel", key), log_mel.astype(np.float16))
        for kind in ("descriptor", "degraded"):
            store.path(kind, key).parent.mkdir(parents=True, exist_ok=True)
            np.save(store.path(kind, key), descriptor_of(log_mel))
        store.path("backbone.musicnn", key).parent.mkdir(parents=True, exist_ok=True)
        np.save(store.path("backbone.musicnn", key), activations_of(log_mel))
    stored = table.assign(
        seconds=[len(m) / settings.frame_rate for m in log_mels],
        digest=[hashlib.sha256(m.tobytes()).hexdigest() for m in log_mels],
        log_mel=keys,
        descriptor=keys,
        degraded=keys,
        **{"backbone.musicnn": keys},
    )
    stored.to_parquet(folder / "tracks.parquet", index=False)
    (folder / "front_end.json").write_text(json.dumps(settings.as_dict()))
    (folder / "backbones.json").write_text('{"musicnn": "float32"}')
    return store


def patches_of(name, seed=0, **probable):
    """Made-up activations of three patches; `probable` tags have their probability on average."""
    card = load_card(name)
    rng = np.random.default_rng(seed)
    rows = np.full((3, card.head_size + len(card.tags)), 1e-4)
    rows[:, : card.head_size] = rng.standard_normal((3, card.head_size))
    for tag, mean in probable.items():
        column = card.head_size + [one.casefold() for one in card.tags].index(tag)
        rows[:, column] = mean * np.array([0.9, 1.0, 1.1])
    return rows.astype(np.float16)


def add_backbones(store, probable):
    """Add made-up activations to a store; `probable` are {tag: probability} of each recording."""
    table = store.tracks()
    for name in SHIPPED:
        keys = [f"{name}{row:02d}" for row in range(len(table))]
        for row, key in enumerate(keys):
            store.save(f"backbone.{name}", key, patches_of(name, row, **probable[row]))
        table[f"backbone.{name}"] = keys
    table.to_parquet(store.folder / "tracks.parquet", index=False)


def descriptor_of(log_mel):
    """A made-up descriptor, two rows that follow from the spectrogram's band levels."""
    levels = np.asarray(log_mel, dtype=np.float32).mean(axis=0)
    return np.stack([np.resize(levels, 102), np.resize(levels[::-1], 102)])


def activations_of(log_mel):
    """Made-up activations of musicnn, of two patches, that follow from the band levels."""
    levels = np.asarray(log_mel, dtype=np.float32).mean(axis=0)
    mixed = np.random.default_rng(0).normal(size=(634, len(levels))) @ levels
    return np.stack([mixed, mixed + 1]).astype(np.float16)


def log_mel_of(kind, frames, seed, bands=32):
    """A made-up log-mel spectrogram: `low` and `high` have their energy in other bands."""
    rng = np.random.default_rng(seed)
    levels = np.linspace(0, -40, bands) if kind == "low" else np.linspace(-40, 0, bands)
    return (levels + rng.normal(0, 3, size=(frames, bands))).astype(np.float16)


def tree(folder):
    """What lies in a folder, to the byte: {relative path: bytes, link target or kind}."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_file():
            found[name] = ("file", path.read_bytes(), path.stat().st_mtime_ns)
        else:
            found[name] = ("folder or special", path.lstat().st_mode)
    return found


def unit(count, seed, dimensions=8):
    """Random unit vectors: float32, shape (count, dimensions)."""
    vectors = np.random.default_rng(seed % 2**32).standard_normal((count, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def naive_penalties(vectors, artists, share=1.5):
    """Hub penalties, found list by list and factor by factor."""
    count, artists = len(vectors), list(artists)
    length, found = min(10, count // 5), [1.0] * count
    if not length:
        return np.ones(count)
    distances = [[1 - float(a @ b) for b in vectors] for a in vectors]
    for _ in range(2):
        new = []
        for track in range(count):
            leaving = []
            for query in range(count):
                if artists[query] == artists[track] or distances[query][track] <= 1e-6:
                    continue
                others = sorted(
                    found[one] * distances[query][one] for one in range(count)
                    if one != track and artists[one] != artists[query]
                )  # fmt: skip
                if len(others) >= length:
                    leaving.append(others[length - 1] / distances[query][track])
            # With a factor above that of a query, the track stands in its list no more.
            allowed = int(share * length)
            found_for = [
                h for h in [1.0, *leaving] if h >= 1 and sum(one > h for one in leaving) <= allowed
            ]
            new.append(min(found_for) * (1 + 1e-5) if min(found_for) > 1 else 1.0)
        found = new
    return np.array(found)


def naive_similarities(vectors, artists, share=1.5):
    """How near each recording (row) finds each other one, if the vectors are the catalogue."""
    penalties = naive_penalties(vectors, artists, share)
    return [[1 - (1 - float(one @ other)) * h for other, h in zip(vectors, penalties, strict=True)]
            for one in vectors]  # fmt: skip


def clusters(count=60, seed=0):
    """An index in which a genre is a direction, and every artist has two recordings."""
    rng = np.random.default_rng(seed)
    genre = np.arange(count) // 2 % 3
    vectors = np.eye(8)[genre] + 0.25 * rng.standard_normal((count, 8))
    vectors = np.hstack([v / np.linalg.norm(v, axis=1)[:, None] for v in np.split(vectors, [5], 1)])
    index = index_of((vectors * np.sqrt([0.7] * 5 + [0.3] * 3)).astype(np.float32))
    index.tracks["artist"] = [f"artist {row // 2}" for row in range(count)]
    index.tracks["genre"] = [("rock", "jazz;blues", "folk")[kind] for kind in genre]
    return index


def splits_of(count, validation):
    """Sides of a catalogue whose first recordings are those of validation artists."""
    return np.array(["validation"] * validation + ["train"] * (count - validation), dtype=object)
