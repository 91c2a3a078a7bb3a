"""Log-mel spectrograms, the hand-picked baseline descriptor, and the store that keeps both.

Everything is computed over a stream of blocks, so that memory does not grow with a recording's
length; the log-mel frames are those of the whole signal all the same.
"""

import sys
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import joblib
import librosa
import numpy as np
import pandas as pd
import scipy.fft
import soundfile
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from simlib import artefacts, audio, degrade
from simlib.artefacts import SimlibError, printable, written_aside
from simlib.catalogue import REJECTED_COLUMNS, RESERVED

FLOOR_DB = -100.0
# The descriptor has settings of its own: a change of the network's front-end must not move the
# baseline that it is compared with.
DESCRIPTOR_RATE, DESCRIPTOR_FFT, DESCRIPTOR_HOP = 22050, 2048, 512
DESCRIPTOR_BLOCK = 5.0
# Mean and deviation of: MFCC, spectral contrast, chroma, tempo bands.
DESCRIPTOR_GROUPS = (2 * 20, 2 * 7, 2 * 12, 2 * 12)
# What is stored of a recording.
KINDS = ("log_mel", "descriptor", "worn")
# Of a longer recording, so much of its middle is worn.
WORN_SECONDS = 30.0
_MEND = "run 'dvc repro extract'"


def power_frames(blocks, n_fft, hop_length):
    """Short-time power spectra of a stream of samples.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of float32, shape (n_samples,)
    n_fft, hop_length : int
        Samples.

    Yields
    ------
    numpy.ndarray of float32, shape (n_frames, 1 + n_fft // 2)
        Together the frames of `librosa.stft(y, center=True)`, zero-padded, squared.
    """
    window = librosa.filters.get_window("hann", n_fft).astype(np.float32)
    pad = np.zeros(n_fft // 2, dtype=np.float32)
    held = np.zeros(0, dtype=np.float32)
    for block in chain([pad], blocks, [pad]):
        held = np.concatenate([held, block])
        if len(held) < n_fft:
            continue
        # Frames as rows: a third quicker than librosa's columns, and training reads rows.
        frames = np.lib.stride_tricks.sliding_window_view(held, n_fft)[::hop_length]
        spectra = scipy.fft.rfft(frames * window, axis=1)
        yield spectra.real**2 + spectra.imag**2
        held = held[len(frames) * hop_length :]


def log_mel(blocks, settings):
    """Log-mel frames of a stream of samples.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of float32
        Mono samples at `settings.sample_rate`.
    settings : simlib.settings.ExtractSettings

    Yields
    ------
    numpy.ndarray of float16, shape (n_frames, n_mels)
        dB of mel power (Slaney's filters, as in librosa), never below -100.
    """
    filters = librosa.filters.mel(
        sr=settings.sample_rate,
        n_fft=settings.n_fft,
        n_mels=settings.n_mels,
        fmin=settings.f_min,
        fmax=settings.f_max,
    )
    for power in power_frames(blocks, settings.n_fft, settings.hop_length):
        mel = power @ filters.T
        yield (10.0 * np.log10(np.maximum(mel, 10 ** (FLOOR_DB / 10)))).astype(np.float16)


def descriptor(blocks):
    """The traditional description by hand-picked features, a row for about each five seconds.

    20 MFCC, 7 bands of spectral contrast, 12 chroma and 12 tempo bands of the tempogram, each as
    mean and standard deviation over time: what systems before learned features compared
    (Tzanetakis and Cook 2002; Grosche, Mueller and Kurth 2010 for the tempogram).

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of float32
        Mono samples at `DESCRIPTOR_RATE`.

    Returns
    -------
    numpy.ndarray of float32, shape (n_blocks, 102)
    """
    length = round(DESCRIPTOR_BLOCK * DESCRIPTOR_RATE / DESCRIPTOR_HOP)
    rows, held = [], None
    for power in power_frames(blocks, DESCRIPTOR_FFT, DESCRIPTOR_HOP):
        held = power if held is None else np.concatenate([held, power])
        # A rest shorter than half a block joins the block before it.
        while len(held) >= 1.5 * length:
            rows.append(_describe(held[:length].T))
            held = held[length:]
    rows.append(_describe(held.T))
    return np.stack(rows)


def _describe(power):
    rate, hop = DESCRIPTOR_RATE, DESCRIPTOR_HOP
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=rate))
    onsets = librosa.onset.onset_strength(S=mel, sr=rate, hop_length=hop)
    parts = [
        librosa.feature.mfcc(S=mel, n_mfcc=20),
        librosa.feature.spectral_contrast(S=np.sqrt(power), sr=rate),
        librosa.feature.chroma_stft(S=power, sr=rate, tuning=0.0),
        _tempo_bands(onsets, rate, hop),
    ]
    stacked = [f(part, axis=1) for part in parts for f in (np.mean, np.std)]
    return np.concatenate(stacked).astype(np.float32)


def _tempo_bands(onsets, rate, hop):
    """Fold a tempogram's lags into 12 bands, equal in log tempo, from 40 to 320 bpm."""
    window = min(len(onsets), round(4.0 * rate / hop))
    tempogram = librosa.feature.tempogram(onset_envelope=onsets, win_length=max(window, 2))
    tempi = librosa.tempo_frequencies(len(tempogram), sr=rate, hop_length=hop)
    edges = np.geomspace(40, 320, 13)
    bands = np.zeros((12, tempogram.shape[1]))
    for band, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        inside = (tempi >= low) & (tempi < high)
        if inside.any():
            bands[band] = tempogram[inside].max(axis=0)
    return bands


def worn_descriptor(path, seconds, seed):
    """Describe a recording as it would be over a telephone, in noise or in a room.

    Training learns from it what does not count: the hand-picked features of a degraded copy cannot
    be made from those of the original.

    Parameters
    ----------
    path : path-like
    seconds : float
        Its length.
    seed : int
        Which of the three, and how much.

    Returns
    -------
    numpy.ndarray of float32, shape (n_blocks, 102)
        See `descriptor`; of at most 30 s from the middle.
    """
    start = max(0.0, (seconds - WORN_SECONDS) / 2)
    samples = audio.decode(path, DESCRIPTOR_RATE, start=start, end=start + WORN_SECONDS)
    worn = degrade.wear(samples, DESCRIPTOR_RATE, np.random.default_rng(seed))
    return descriptor([worn])


class Store:
    """The features on disk: `log_mel/<key>.npy`, likewise the other `KINDS`, `tracks.parquet`.

    A key is a digest of all that makes the numbers: the file's bytes, the settings, the code and
    the libraries. What was computed once is never computed, nor taken for something else, again.

    Parameters
    ----------
    folder : path-like
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def path(self, kind, key):
        """Return the file of a feature; `kind` is one of `KINDS`."""
        return self.folder / kind / f"{key}.npy"

    def tracks(self):
        """Return the table of what is stored.

        Returns
        -------
        pandas.DataFrame
            The catalogue's columns, `seconds`, `digest`, and a column of keys for each of `KINDS`.

        Raises
        ------
        SimlibError
            If there is none yet.
        """
        path = self.folder / "tracks.parquet"
        if not path.is_file():
            raise SimlibError(path, "is not there", _MEND)
        return pd.read_parquet(path)

    def front_end(self):
        """Return the settings, as a dict, that the log-mel spectrograms were made with."""
        return artefacts.read_json(self.folder / "front_end.json", _MEND)

    def log_mel(self, key):
        """Map a log-mel spectrogram: float16, shape (n_frames, n_mels)."""
        return self._load("log_mel", key)

    def descriptors(self, keys, kind="descriptor"):
        """Stack the recordings' descriptors.

        Parameters
        ----------
        keys : iterable of str
        kind : str
            Or `worn`, for those of degraded copies.

        Returns
        -------
        numpy.ndarray of float32, shape (n_tracks, 102)
            The mean over each recording's rows.
        """
        return np.stack([self._load(kind, key).mean(axis=0) for key in keys])

    def descriptor(self, key):
        """Map a recording's descriptor: float32, shape (n_blocks, 102)."""
        return self._load("descriptor", key)

    def _load(self, kind, key):
        try:
            return np.load(self.path(kind, key), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise SimlibError(self.path(kind, key), f"cannot be read ({error})", _MEND) from None


def extract(data, tracks, store, settings, *, jobs=-1):
    """Fill the store with the features of a catalogue and write its table.

    Recordings whose features are there already cost one reading of the file. What no recording
    needs any more is removed.

    Parameters
    ----------
    data : path-like
        The catalogue's folder.
    tracks : pandas.DataFrame
        From `catalogue.read`.
    store : Store
    settings : simlib.settings.ExtractSettings
    jobs : int
        Processes; one a core by default.

    Returns
    -------
    stored : pandas.DataFrame
        The usable rows of `tracks`, with `seconds`, `digest` (of the file's bytes) and a key for
        each of `KINDS`.
    rejected : pandas.DataFrame
        Columns `path, cause, mend`.
    computed : int
        For how many recordings something was computed.

    Raises
    ------
    SimlibError
        If not one recording can be used.
    """
    recipe = {kind: _recipe(kind, settings) for kind in KINDS}
    paths = list(tracks["path"].to_numpy(dtype=object))
    done, rejected = {}, []
    for path, result in _each(paths, (Path(data), store, settings, recipe), jobs):
        if isinstance(result, SimlibError):
            rejected.append((path, result.cause, result.mend))
        else:
            done[path] = result
    if not done:
        raise SimlibError(
            data, f"holds no recording that can be used ({len(paths)} tried)", "add some music"
        )
    stored = tracks[tracks["path"].isin(list(done))].reset_index(drop=True)
    results = [done[path] for path in stored["path"]]
    for name in RESERVED:
        stored[name] = [result[name] for result in results]
    _prune(store, stored)
    with written_aside(store.folder / "tracks.parquet") as aside:
        stored.to_parquet(aside, index=False)
    artefacts.write_json(store.folder / "front_end.json", settings.as_dict())
    rejected = pd.DataFrame(rejected, columns=REJECTED_COLUMNS, dtype="str")
    return stored, rejected, sum(result["computed"] for result in results)


def _recipe(kind, settings):
    """Digest of everything but the recording that a feature depends on."""
    libraries = [version(name) for name in ("librosa", "numpy", "scipy", "soxr", "av")]
    parameters = settings.as_dict() if kind == "log_mel" else {"rate": DESCRIPTOR_RATE}
    # Lengths are checked on the way, so a stricter limit must look at every file again.
    minimum = settings.min_seconds
    modules = [audio, sys.modules[__name__]] + [degrade] * (kind == "worn")
    code = artefacts.digest_of_modules(*modules)
    libsndfile = soundfile.__libsndfile_version__
    return artefacts.digest_of([kind, parameters, minimum, libraries, libsndfile, code])


def _each(paths, context, jobs):
    """Yield (path, result or SimlibError), in any order, whatever a file does to its worker."""
    waiting = dict.fromkeys(paths)
    with tqdm(total=len(paths), desc="recordings", unit="", mininterval=5) as bar:

        def run(batch, workers):
            call = joblib.delayed(_extract_one)
            pool = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=4)
            for path, result in pool(call(path, *context) for path in batch):
                del waiting[path]
                bar.update()
                yield path, result

        try:
            yield from run(paths, jobs)
        except TerminatedWorkerError:
            # A decoder crashed on somebody's file: find out whose, one process for each.
            for path in list(waiting):
                try:
                    yield from run([path], 2)
                except TerminatedWorkerError:
                    del waiting[path]
                    bar.update()
                    mend = "convert it to flac or mp3, or remove it"
                    yield path, SimlibError(path, "crashes its decoder", mend)


def _extract_one(path, data, store, settings, recipe):
    """Compute what is missing of one recording; runs in a worker."""
    try:
        content = artefacts.digest_of_file(data / path)
        keys = {kind: artefacts.digest_of([content, made])[:32] for kind, made in recipe.items()}
        missing = [kind for kind, key in keys.items() if not store.path(kind, key).exists()]
        if "log_mel" in missing:
            store_log_mel(data / path, store.path("log_mel", keys["log_mel"]), settings)
        if "descriptor" in missing:
            rows = descriptor(audio.blocks(data / path, DESCRIPTOR_RATE))
            _save(store.path("descriptor", keys["descriptor"]), rows)
        frames = len(store.log_mel(keys["log_mel"]))
        seconds = frames / settings.frame_rate
        if "worn" in missing:
            rows = worn_descriptor(data / path, seconds, int(content, 16))
            _save(store.path("worn", keys["worn"]), rows)
        return path, {**keys, "digest": content, "seconds": seconds, "computed": bool(missing)}
    except SimlibError as error:
        return path, error
    except OSError as error:
        cause = f"cannot be read ({error.strerror})"
        return path, SimlibError(path, cause, "check its permissions and the disk")
    except Exception as error:  # noqa: BLE001 - one broken recording never stops a catalogue
        cause = printable(f"fails with {type(error).__name__}: {error}")[:200]
        return path, SimlibError(path, cause, "convert it to flac or mp3")


def _save(target, rows):
    with written_aside(target) as aside:
        np.save(aside, rows, allow_pickle=False)


def store_log_mel(source, target, settings):
    """Decode a recording and store its log-mel spectrogram, block by block.

    Parameters
    ----------
    source : path-like
        An audio file.
    target : path-like
        The `.npy` file to write: float16, shape (n_frames, n_mels).
    settings : simlib.settings.ExtractSettings

    Raises
    ------
    SimlibError
        If the recording cannot be used.
    """
    frames = 0

    def header(stream):
        stream.seek(0)
        # NumPy leaves room in the header for the first axis to grow.
        np.lib.format.write_array_header_1_0(
            stream,
            {"descr": "<f2", "fortran_order": False, "shape": (frames, settings.n_mels)},
        )

    with written_aside(target) as aside, open(aside, "wb") as stream:
        header(stream)
        for part in log_mel(audio.blocks(source, settings.sample_rate), settings):
            stream.write(np.ascontiguousarray(part).tobytes())
            frames += len(part)
        header(stream)
        seconds = frames / settings.frame_rate
        if seconds < settings.min_seconds:
            cause = f"is {seconds:.2f} s long, shorter than {settings.min_seconds:g} s"
            raise SimlibError(source, cause, "use a longer excerpt, or lower extract.min_seconds")


def _prune(store, stored):
    """Remove every file that no recording of the table needs."""
    needed = {store.folder / "tracks.parquet", store.folder / "front_end.json"}
    for kind in KINDS:
        needed |= {store.path(kind, key) for key in stored[kind]}
    for path in store.folder.rglob("*"):
        if path.is_file() and path not in needed:
            path.unlink()
