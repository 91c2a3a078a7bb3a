"""Log-mel spectrograms, the hand-picked baseline descriptor, and the store that keeps both.

Everything is computed over a stream of blocks, so that memory does not grow with a recording's
length; the log-mel frames are those of the whole signal all the same.
"""

from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import soundfile
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from simlib.core import (
    REJECTED_COLUMNS,
    RESERVED_COLUMNS,
    SimlibError,
    digest_of,
    digest_of_code,
    digest_of_file,
    printable,
    write_json,
    written_aside,
)
from simlib.features.audio import decode_blocks
from simlib.features.descriptor import (
    DESCRIPTOR_RATE,
    compute_degraded_descriptor,
    compute_descriptor,
)
from simlib.features.spectrogram import store_log_mel
from simlib.features.store import FEATURE_KINDS


def extract(data, tracks, store, settings, *, jobs=-1):
    """Fill the store with the features of a catalogue and write its table.

    Recordings whose features are there already cost one reading of the file. What no recording
    needs any more is removed.

    Parameters
    ----------
    data : path-like
        The catalogue's folder.
    tracks : pandas.DataFrame
        From `read_catalogue`.
    store : Store
    settings : simlib.features.ExtractSettings
    jobs : int
        Processes; one a core by default.

    Returns
    -------
    stored : pandas.DataFrame
        The usable rows of `tracks`, with `seconds`, `digest` (of the file's bytes) and a key for
        each of `FEATURE_KINDS`.
    rejected : pandas.DataFrame
        Columns `path, cause, mend`.
    computed : int
        For how many recordings something was computed.

    Raises
    ------
    SimlibError
        If not one recording can be used.
    """
    recipe = {kind: _recipe(kind, settings) for kind in FEATURE_KINDS}
    paths = list(tracks["path"].to_numpy(dtype=object))
    done, rejected = {}, []
    for path, result in _each(paths, (Path(data), store, settings, recipe), jobs):
        if isinstance(result, SimlibError):
            rejected.append((path, result.cause, result.hint))
        else:
            done[path] = result
    if not done:
        raise SimlibError(
            data, f"holds no recording that can be used ({len(paths)} tried)", "add some music"
        )
    stored = tracks[tracks["path"].isin(list(done))].reset_index(drop=True)
    results = [done[path] for path in stored["path"]]
    for name in RESERVED_COLUMNS:
        stored[name] = [result[name] for result in results]
    _prune(store, stored)
    with written_aside(store.folder / "tracks.parquet") as aside:
        stored.to_parquet(aside, index=False)
    write_json(store.folder / "front_end.json", settings.as_dict())
    rejected = pd.DataFrame(rejected, columns=REJECTED_COLUMNS, dtype="str")
    return stored, rejected, sum(result["computed"] for result in results)


def _recipe(kind, settings):
    """Digest of everything but the recording that a feature depends on."""
    libraries = [version(name) for name in ("librosa", "numpy", "scipy", "soxr", "av")]
    parameters = settings.as_dict() if kind == "log_mel" else {"rate": DESCRIPTOR_RATE}
    # Lengths are checked on the way, so a stricter limit must look at every file again.
    minimum = settings.min_seconds
    code = digest_of_code(
        "simlib.features." + ("spectrogram" if kind == "log_mel" else "descriptor")
    )
    libsndfile = soundfile.__libsndfile_version__
    return digest_of([kind, parameters, minimum, libraries, libsndfile, code])


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
                    hint = "convert it to flac or mp3, or remove it"
                    yield path, SimlibError(path, "crashes its decoder", hint)


def _extract_one(path, data, store, settings, recipe):
    """Compute what is missing of one recording; runs in a worker."""
    try:
        content = digest_of_file(data / path)
        keys = {kind: digest_of([content, made])[:32] for kind, made in recipe.items()}
        missing = [kind for kind, key in keys.items() if not store.path(kind, key).exists()]
        if "log_mel" in missing:
            store_log_mel(data / path, store.path("log_mel", keys["log_mel"]), settings)
        if "descriptor" in missing:
            rows = compute_descriptor(decode_blocks(data / path, DESCRIPTOR_RATE))
            _save(store.path("descriptor", keys["descriptor"]), rows)
        frames = len(store.log_mel(keys["log_mel"]))
        seconds = frames / settings.frame_rate
        if "degraded" in missing:
            rows = compute_degraded_descriptor(data / path, seconds, int(content, 16))
            _save(store.path("degraded", keys["degraded"]), rows)
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


def _prune(store, stored):
    """Remove every file that no recording of the table needs."""
    needed = {store.folder / "tracks.parquet", store.folder / "front_end.json"}
    for kind in FEATURE_KINDS:
        needed |= {store.path(kind, key) for key in stored[kind]}
    for path in store.folder.rglob("*"):
        if path.is_file() and path not in needed:
            path.unlink()
