"""Compose, render and mix the demo catalogue.

    python demo/compose.py --out FOLDER [--seed N]

writes ``FOLDER/audio/<genre>/<artist>/<title>.mp3`` and ``FOLDER/tracks.csv``. The same seed gives
the same scores and, with the same FluidSynth, soundfont and libraries, the same samples; the
digests of both are printed. Needs the Debian packages ``fluidsynth`` and ``fluid-soundfont-gm``.
"""

import argparse
import hashlib
import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
from arrange import FADE_S, arrange, lay_out
from cast import book, hire
from genres import STYLES
from instruments import INSTRUMENTS
from joblib import Parallel, delayed
from moods import MOODS
from studio import SAMPLE_RATE, fade, mix, require_fluidsynth
from style import tempo_class
from tqdm import tqdm

# About 32 kbit/s at 22050 Hz: 216 recordings of 13 s stay below 12 MB.
COMPRESSION_LEVEL = 0.85


def slug(text):
    """Return ``text`` in small ASCII letters, digits and hyphens, for file names."""
    # Letters that Unicode does not decompose.
    text = text.replace("ø", "o").replace("Ø", "O").replace("'", "")
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")


def describe(recording, score):
    """Return the row of ``tracks.csv`` for a recording.

    Parameters
    ----------
    recording : Recording
    score : Score
        Tells which instruments play.

    Returns
    -------
    dict
    """
    artist = recording.artist
    names = {"lead": artist.lead, "comp": artist.comp[0], "second": artist.second[0]}
    playing = {part.role for part in score.parts if part.notes}
    words = [INSTRUMENTS[name].word for role, name in names.items() if role in playing]
    track_id = f"{artist.genres[0]}/{slug(artist.name)}/{slug(recording.title)}"
    return {
        "track_id": track_id,
        "path": f"audio/{track_id}.mp3",
        "title": recording.title,
        "artist": artist.name,
        "genre": ";".join(artist.genres),
        "mood": recording.mood,
        "instrument": ";".join(dict.fromkeys(words)),
        "tempo": tempo_class(recording.bpm),
        "bpm": recording.bpm,
    }


def produce(recording, folder, seed):
    """Compose, render, mix and write one recording.

    Parameters
    ----------
    recording : Recording
    folder : pathlib.Path
    seed : int

    Returns
    -------
    row : dict
        Its line of ``tracks.csv``.
    score_digest, samples_digest : bytes
    """
    score = arrange(recording, seed)
    samples = mix(score, recording, MOODS[recording.mood], seed)
    _, fades = lay_out(recording)
    samples = fade(samples, FADE_S if fades else 0.25)
    pcm = np.round(samples * 32767).astype("<i2")
    row = describe(recording, score)
    path = folder / row["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(
        path,
        pcm,
        SAMPLE_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=COMPRESSION_LEVEL,
        bitrate_mode="AVERAGE",
    )
    digests = (hashlib.sha256(data).digest() for data in (repr(score).encode(), pcm.tobytes()))
    return row, *digests


def compose(folder, seed):
    """Make the whole catalogue.

    Parameters
    ----------
    folder : pathlib.Path
    seed : int

    Returns
    -------
    table : pandas.DataFrame
        What is in ``tracks.csv``.
    score_digest, samples_digest : str
        Hexadecimal SHA-256 over all recordings.
    """
    recordings = [r for genre in STYLES for r in book(hire(genre, seed), seed)]
    jobs = Parallel(n_jobs=-1, return_as="generator")(
        delayed(produce)(recording, folder, seed) for recording in recordings
    )
    rows, scores, samples = zip(*tqdm(jobs, total=len(recordings)), strict=True)
    table = pd.DataFrame(rows)
    table.to_csv(folder / "tracks.csv", index=False)
    return table, *(hashlib.sha256(b"".join(d)).hexdigest() for d in (scores, samples))


def main():
    """Read the command line and compose."""
    parser = argparse.ArgumentParser(description="Compose the demo catalogue.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other music")
    arguments = parser.parse_args()
    require_fluidsynth()
    if (arguments.out / "audio").exists():
        raise SystemExit(f"{arguments.out / 'audio'} exists; compose into another folder")
    arguments.out.mkdir(parents=True, exist_ok=True)
    table, scores, samples = compose(arguments.out, arguments.seed)
    size = sum(path.stat().st_size for path in (arguments.out / "audio").rglob("*.mp3"))
    print(f"{len(table)} recordings by {table['artist'].nunique()} artists, {size / 1e6:.1f} MB")
    print(f"scores  sha256 {scores}")
    print(f"samples sha256 {samples}")


if __name__ == "__main__":
    main()
