"""The studio: FluidSynth plays the parts, the artist's mix makes a record of them."""

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from cast import generator
from scipy import signal
from score import to_midi

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RENDER_RATE = 44100
SAMPLE_RATE = 22050

# Room for what a lossy codec adds to peaks.
CEILING = 0.8

# Level of a part while it sounds, dB; drums keep the level of their strokes, so that soft
# drumming stays soft.
LEVELS_DB = {"bass": -21.0, "comp": -22.5, "second": -27.5, "lead": -22.0}
# How much of each part reaches the room.
SENDS = {"drums": 0.5, "bass": 0.15, "comp": 1.0, "second": 1.3, "lead": 1.2}


def require_fluidsynth():
    """Exit with one line that says what to install where FluidSynth or its sounds are missing."""
    if shutil.which("fluidsynth") is None:
        raise SystemExit("compose.py needs the program fluidsynth (Debian: apt install fluidsynth)")
    if not SOUNDFONT.is_file():
        raise SystemExit(f"compose.py needs {SOUNDFONT} (Debian: apt install fluid-soundfont-gm)")


def render(part, bpm, n_samples):
    """Let FluidSynth play one part, dry.

    Parameters
    ----------
    part : Part
    bpm : float
    n_samples : int
        Length to return, at `RENDER_RATE`.

    Returns
    -------
    numpy.ndarray, shape (n_samples,)
        Mono, not normalised.
    """
    with tempfile.TemporaryDirectory() as folder:
        midi, raw = Path(folder, "part.mid"), Path(folder, "part.raw")
        to_midi(part, bpm).save(midi)
        command = ["fluidsynth", "-ni", "-q", "-F", str(raw), "-T", "raw", "-O", "float"]
        command += ["-r", str(RENDER_RATE), "-g", "0.5", "-R", "0", "-C", "0"]
        command += ["-o", "synth.dynamic-sample-loading=1", "-o", "synth.cpu-cores=1"]
        result = subprocess.run(
            [*command, str(SOUNDFONT), str(midi)], capture_output=True, text=True, check=False
        )
        if result.returncode or not raw.is_file():
            raise SystemExit(f"fluidsynth failed: {result.stderr.strip()}")
        stereo = np.fromfile(raw, dtype="<f4").reshape(-1, 2).astype(np.float64)
    mono = stereo.mean(axis=1)[:n_samples]
    return np.pad(mono, (0, n_samples - len(mono)))


def sounding_level(samples):
    """Return the root-mean-square level over the parts that sound, as an amplitude."""
    blocks = samples[: len(samples) // 2048 * 2048].reshape(-1, 2048)
    power = np.mean(blocks**2, axis=1)
    loud = power[power > 0.01 * power.max()]
    return float(np.sqrt(loud.mean())) if len(loud) else 0.0


def mix(score, recording, mood, seed):
    """Render a score and mix it as its artist does.

    Parameters
    ----------
    score : Score
    recording : Recording
    mood : Mood
    seed : int

    Returns
    -------
    numpy.ndarray, shape (n_samples,)
        Mono at `SAMPLE_RATE`, float64, within `CEILING`.
    """
    artist = recording.artist
    settings = artist.mix
    n_samples = round(score.seconds * RENDER_RATE)
    dry, send = np.zeros(n_samples), np.zeros(n_samples)
    for part in score.parts:
        if not part.notes:
            continue
        stem = render(part, score.bpm, n_samples)
        gain = _db(settings.balance_db[part.role])
        if part.role == "drums":
            gain *= _db(artist.rhythm.sound.drums_db)
        else:
            gain *= _db(LEVELS_DB[part.role]) / max(sounding_level(stem), 1e-6)
            stem = stem * _pump(n_samples, score.bpm, artist.rhythm.pump)
        dry += gain * stem
        send += gain * SENDS[part.role] * stem
    room = _room(settings.room_s * mood.room, generator(seed, artist.name, "room"))
    wet = signal.fftconvolve(send, room)[:n_samples]
    record = dry + settings.wet * min(mood.room, 1.4) * wet
    loudness_db = 20 * np.log10(mood.loudness)
    # Soft playing is dark playing.
    record = _equalise(record, replace(settings, high_db=settings.high_db + loudness_db))
    record = _saturate(record, settings.saturation)
    record = signal.resample_poly(record, 1, RENDER_RATE // SAMPLE_RATE)
    record = _trim_head(record)
    record *= _db(settings.level_db + 0.5 * loudness_db) / sounding_level(record)
    return _limit(record)


def fade(samples, seconds):
    """Fade the end of a recording out over ``seconds``."""
    n_fade = round(seconds * SAMPLE_RATE)
    faded = samples.copy()
    faded[-n_fade:] *= np.cos(np.linspace(0, np.pi / 2, n_fade)) ** 2
    return faded


def _db(decibels):
    return 10.0 ** (decibels / 20.0)


def _pump(n_samples, bpm, depth):
    """Gain that dips on each beat and recovers, as a compressor keyed by the kick does."""
    if depth == 0:
        return 1.0
    phase = np.arange(n_samples) * bpm / 60.0 / RENDER_RATE % 1.0
    return 1 - depth * np.exp(-5 * phase)


def _room(decay_s, rng):
    """Impulse response of a room: noise that decays, its treble faster than its bass."""
    n_samples = round(1.2 * decay_s * RENDER_RATE)
    time = np.arange(n_samples) / RENDER_RATE
    noise = rng.standard_normal(n_samples)
    bright = noise * np.exp(-6.9 * time / (0.45 * decay_s))
    dark_filter = signal.butter(1, 1800, fs=RENDER_RATE, output="sos")
    dark = signal.sosfilt(dark_filter, noise * np.exp(-6.9 * time / decay_s))
    low_cut = signal.butter(2, 220, "high", fs=RENDER_RATE, output="sos")
    response = signal.sosfilt(low_cut, 0.5 * bright + 1.5 * dark)
    predelay = np.zeros(round(0.012 * RENDER_RATE))
    return np.concatenate([predelay, response / np.sqrt(np.sum(response**2))])


def _equalise(samples, settings):
    """Apply low shelf, bell, high shelf and the roll-off of the recording chain."""
    for kind, hz, gain_db in (
        ("low", 160.0, settings.low_db),
        ("bell", settings.mid_hz, settings.mid_db),
        ("high", 3500.0, settings.high_db),
    ):
        samples = signal.sosfilt(_biquad(kind, hz, gain_db), samples)
    roll_off = signal.butter(3, settings.bandwidth_hz, fs=RENDER_RATE, output="sos")
    rumble = signal.butter(2, 32, "high", fs=RENDER_RATE, output="sos")
    return signal.sosfilt(rumble, signal.sosfilt(roll_off, samples))


def _biquad(kind, hz, gain_db):
    """Second-order section of Bristow-Johnson's Audio EQ Cookbook."""
    a = 10 ** (gain_db / 40)
    w = 2 * np.pi * hz / RENDER_RATE
    cos, alpha = np.cos(w), np.sin(w) / 2 / 0.8
    if kind == "bell":
        b = [1 + alpha * a, -2 * cos, 1 - alpha * a]
        c = [1 + alpha / a, -2 * cos, 1 - alpha / a]
    else:
        s = -1 if kind == "low" else 1
        root = 2 * np.sqrt(a) * alpha
        b = [
            a * ((a + 1) + s * (a - 1) * cos + root),
            -2 * s * a * ((a - 1) + s * (a + 1) * cos),
            a * ((a + 1) + s * (a - 1) * cos - root),
        ]
        c = [
            (a + 1) - s * (a - 1) * cos + root,
            2 * s * ((a - 1) - s * (a + 1) * cos),
            (a + 1) - s * (a - 1) * cos - root,
        ]
    return np.array([[*b, *c]]) / c[0]


def _saturate(samples, gain):
    """Bend peaks as tape does; ``gain`` counts from a level at which it is just audible."""
    drive = gain * 0.25 / max(sounding_level(samples), 1e-6)
    return np.tanh(drive * samples) / drive


def _trim_head(samples):
    """Cut the silence before the first sound, all but 20 ms."""
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    return samples[max(loud[0] - round(0.02 * SAMPLE_RATE), 0) :]


def _limit(samples):
    """Round peaks off towards `CEILING`; what is below half of it passes unchanged."""
    knee = 0.5 * CEILING
    excess = np.maximum(np.abs(samples) - knee, 0.0)
    rounded = knee + (CEILING - knee) * np.tanh(excess / (CEILING - knee))
    return np.where(excess > 0, np.sign(samples) * rounded, samples)
