"""The extract stage: features of a whole catalogue, several recordings at a time."""

import contextlib
from collections.abc import Sequence
from importlib.metadata import version
from os import PathLike
from pathlib import Path

import av
import joblib
import pandas as pd
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from simlib.core import (
    BACKBONE_PREFIX,
    REJECTED_COLUMNS,
    RESERVED_COLUMNS,
    SimlibError,
    digest_of,
    digest_of_code,
    digest_of_file,
    printable,
)
from simlib.features.audio import mono_blocks
from simlib.features.audio_digests import DIGESTS_FILE, AudioDigests, FileStamp
from simlib.features.backbones.loading import load_backbone
from simlib.features.degraded import MiddleOfRecording, compute_degraded_descriptor
from simlib.features.settings import ExtractSettings
from simlib.features.single_pass import features_of_blocks
from simlib.features.store import FEATURE_KINDS, FeatureStore

# The numbers of a feature follow from this module and from what it imports.
ENTRY_MODULES = {
    "log_mel": "simlib.features.spectrogram",
    "descriptor": "simlib.features.descriptor",
    "degraded": "simlib.features.degraded",
}


def extract(
    data: str | PathLike,
    tracks: pd.DataFrame,
    store: FeatureStore,
    settings: ExtractSettings,
    *,
    backbones: Sequence[str] = (),
    verify: bool = False,
    jobs: int = -1,
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Fill the store with the features of a catalogue and write its table.

    An unchanged recording whose features are in the store is not read; see `AudioDigests`. Features
    that no recording needs any more are removed.

    Parameters
    ----------
    data : path-like
        The catalogue's folder.
    tracks : pandas.DataFrame
        From `read_catalogue`.
    store : simlib.features.FeatureStore
    settings : simlib.features.ExtractSettings
    backbones : sequence of str
        Names of the backbones whose activations are stored, too; see `load_backbone`.
    verify : bool
        Whether to read unchanged files, too. That finds changes that kept size, time and inode.
    jobs : int
        Processes; one a core by default.

    Returns
    -------
    stored : pandas.DataFrame
        The usable rows of `tracks`, with `seconds`, `digest` (of the file's bytes) and a key for
        each of `FEATURE_KINDS` and, as `backbone.<name>`, for each backbone.
    rejected : pandas.DataFrame
        Columns `path, cause, hint`.
    computed : int
        The number of recordings for which something was computed.

    Raises
    ------
    SimlibError
        If not one recording can be used, or a backbone cannot be loaded.
    """
    loaded = {name: load_backbone(name) for name in backbones}
    variants = {name: loaded[name].variant for name in loaded}
    store.folder.mkdir(parents=True, exist_ok=True)
    recipes = {kind: _recipe(kind, settings) for kind in FEATURE_KINDS}
    for name, backbone in loaded.items():
        recipes[BACKBONE_PREFIX + name] = _backbone_recipe(name, backbone, settings)
    paths = list(tracks["path"].to_numpy(dtype=object))
    digests = AudioDigests(store.folder / DIGESTS_FILE)
    context = (Path(data), store, settings, recipes, variants)
    done = {} if verify else _unchanged(paths, digests, *context[:-1])
    rejected = []
    for path, result in _each([path for path in paths if path not in done], context, jobs):
        if isinstance(result, SimlibError):
            rejected.append((path, result.cause, result.hint))
        else:
            done[path] = result
    if not done:
        cause = f"holds no recording that can be used ({len(paths)} tried)"
        raise SimlibError(data, cause, "add some music")
    stored = tracks[tracks["path"].isin(list(done))].reset_index(drop=True)
    results = [done[path] for path in stored["path"]]
    for name in dict.fromkeys((*RESERVED_COLUMNS, *recipes)):
        stored[name] = [result[name] for result in results]
    store.finish(stored, settings.front_end.as_dict(), variants)
    # Last, because `finish` removes whatever is no feature.
    digests.replace({path: (done[path]["stamp"], done[path]["digest"]) for path in done})
    rejected = pd.DataFrame(rejected, columns=REJECTED_COLUMNS, dtype="str")
    return stored, rejected, sum(result["computed"] for result in results)


def _recipe(kind, settings):
    """Return a digest of everything but the recording that a feature depends on."""
    parameters = {"log_mel": settings.front_end, "degraded": settings.degraded}
    own = parameters[kind].as_dict() if kind in parameters else {}
    return digest_of([kind, own, *_decoding(settings), digest_of_code(ENTRY_MODULES[kind])])


def _backbone_recipe(name, backbone, settings):
    """Return the same for the activations of a backbone."""
    return digest_of([name, backbone.digest, *_decoding(settings), version("torch")])


def _decoding(settings):
    """Return what every feature depends on: limits and libraries."""
    libraries = [version(name) for name in ("librosa", "numpy", "scipy", "soxr", "av")]
    libraries.append(str(av.library_versions))
    # Decoding checks these, so a stricter limit must decode every file again.
    return [settings.min_seconds, settings.silence_dbfs], libraries


def _unchanged(paths, digests, data, store, settings, recipes):
    """Return the results of the recordings of which nothing is to be read or computed."""
    results = {}
    for path in paths:
        # A worker says what is wrong with a file or a feature that cannot be read.
        with contextlib.suppress(OSError, SimlibError):
            stamp = FileStamp.of(data / path)
            content = digests.known(path, stamp)
            keys = _keys(content, recipes)
            if content is not None and not _missing(keys, store):
                results[path] = _result(keys, content, stamp, store, settings)
    return results


def _keys(content, recipes):
    """Return the key of each feature of a recording with this digest."""
    return {kind: digest_of([content, recipe])[:32] for kind, recipe in recipes.items()}


def _missing(keys, store):
    return [kind for kind, key in keys.items() if not store.path(kind, key).exists()]


def _result(keys, content, stamp, store, settings, computed=False):
    """Return what is known of a recording whose features are all in the store."""
    seconds = len(store.log_mel(keys["log_mel"])) / settings.frame_rate
    return {**keys, "digest": content, "stamp": stamp, "seconds": seconds, "computed": computed}


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
            # A decoder crashed on some file. One process for each file finds out which.
            for path in list(waiting):
                try:
                    yield from run([path], 2)
                except TerminatedWorkerError:
                    del waiting[path]
                    bar.update()
                    hint = "convert it to flac or mp3, or remove it"
                    yield path, SimlibError(path, "crashes its decoder", hint)


def _extract_one(path, data, store, settings, recipes, variants):
    """Compute what is missing of one recording; runs in a worker."""
    try:
        # Before the bytes, so that a change while they are read shows in the next run.
        stamp = FileStamp.of(data / path)
        content = digest_of_file(data / path)
        keys = _keys(content, recipes)
        missing = _missing(keys, store)
        if missing:
            seed = int(content, 16)
            computed = _compute(data / path, store, settings, missing, keys, variants, seed)
            for kind, rows in computed.items():
                store.save(kind, keys[kind], rows)
        return path, _result(keys, content, stamp, store, settings, bool(missing))
    except SimlibError as error:
        return path, error
    except OSError as error:
        cause = f"cannot be read ({error.strerror})"
        return path, SimlibError(path, cause, "check its permissions and the disk")
    except Exception as error:  # noqa: BLE001 - one broken recording never stops a catalogue
        cause = printable(f"fails with {type(error).__name__}: {error}")[:200]
        return path, SimlibError(path, cause, "convert it to flac or mp3")


def _compute(path, store, settings, missing, keys, variants, seed):
    """Decode a recording once and compute the missing kinds of features."""
    backbones = {name: variants[name] for name in variants if BACKBONE_PREFIX + name in missing}
    blocks = mono_blocks(path, silence_dbfs=settings.silence_dbfs)
    if "degraded" not in missing:
        return features_of_blocks(path, blocks, settings, missing, backbones)
    with MiddleOfRecording(store.folder) as middle:
        recorded = middle.record(blocks)
        computed = features_of_blocks(path, recorded, settings, missing, backbones)
        log_mel = computed["log_mel"] if "log_mel" in missing else store.log_mel(keys["log_mel"])
        seconds = len(log_mel) / settings.frame_rate
        blocks = middle.blocks(seconds, settings.degraded.seconds)
        computed["degraded"] = compute_degraded_descriptor(path, blocks, settings, seed)
    return computed
