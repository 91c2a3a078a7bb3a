"""Chords, scales and voice leading: the little harmony that the players need.

Pitches are MIDI note numbers (60 is middle C), pitch classes are 0 (C) to 11 (B).
"""

import re
from dataclasses import dataclass

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
}

_DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}

_MAJOR_QUALITIES = {
    "": (0, 4, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "7": (0, 4, 7, 10),
    "9": (0, 4, 7, 10, 14),
    "13": (0, 4, 10, 14, 21),
    "7b9": (0, 4, 7, 10, 13),
    "7#9": (0, 4, 7, 10, 15),
    "maj7": (0, 4, 7, 11),
    "maj9": (0, 4, 7, 11, 14),
    "add9": (0, 4, 7, 14),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "7sus4": (0, 5, 7, 10),
    "aug": (0, 4, 8),
}

_MINOR_QUALITIES = {
    "": (0, 3, 7),
    "6": (0, 3, 7, 9),
    "7": (0, 3, 7, 10),
    "9": (0, 3, 7, 10, 14),
    "add9": (0, 3, 7, 14),
    "maj7": (0, 3, 7, 11),
    "7b5": (0, 3, 6, 10),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
}


@dataclass(frozen=True)
class Chord:
    """A chord in a key.

    Attributes
    ----------
    root : int
        Pitch class of the root.
    tones : tuple of int
        Semitones above the root, the root's 0 first.
    """

    root: int
    tones: tuple[int, ...]

    @property
    def pitch_classes(self):
        """Pitch classes of the chord, the root first."""
        return tuple((self.root + tone) % 12 for tone in self.tones)

    def degree(self, symbol):
        """Return the semitones above the root of degree ``"1"``, ``"3"`` or ``"5"`` to ``"8"``.

        A third or fifth is the chord's own; a chord without a seventh gives its minor seventh.
        """
        fixed = {"1": 0, "8": 12, "6": 9}
        if symbol in fixed:
            return fixed[symbol]
        wanted, default = {"3": ((3, 4), 7), "5": ((6, 7, 8), 7), "7": ((10, 11), 10)}[symbol]
        return next((tone for tone in self.tones if tone in wanted), default)


def parse_chord(symbol, key):
    """Read a roman numeral such as ``"ii7"``, ``"bVIImaj7"`` or ``"V7b9"``.

    Numerals count from the major scale whatever the mode, so flats are always written out.
    Capitals carry a major third, small letters a minor one.

    Parameters
    ----------
    symbol : str
    key : int
        Pitch class of the tonic.

    Returns
    -------
    Chord
    """
    flat, sharp, numeral, quality = re.fullmatch(r"(b?)(#?)([IVX]+|[ivx]+)(.*)", symbol).groups()
    root = key + _DEGREES[numeral.lower()] - len(flat) + len(sharp)
    qualities = _MAJOR_QUALITIES if numeral.isupper() else _MINOR_QUALITIES
    return Chord(root % 12, qualities[quality])


def parse_progression(text, key):
    """Read bars of chords such as ``"ii7 V7 | Imaj7"``; the chords of a bar share it equally.

    Returns
    -------
    list of list of Chord
        One list a bar.
    """
    return [[parse_chord(symbol, key) for symbol in bar.split()] for bar in text.split("|")]


def nearest(pitch, pitch_classes):
    """Return the pitch nearest to ``pitch`` whose pitch class is in ``pitch_classes``."""
    candidates = (pitch + step for step in range(-6, 7) if (pitch + step) % 12 in pitch_classes)
    return min(candidates, key=lambda candidate: (abs(candidate - pitch), candidate))


def scale_step(pitch, steps, scale):
    """Move ``pitch`` by ``steps`` notes of a scale.

    Parameters
    ----------
    pitch : int
    steps : int
        Up where positive.
    scale : collection of int
        Pitch classes.

    Returns
    -------
    int
    """
    direction = 1 if steps > 0 else -1
    for _ in range(abs(steps)):
        pitch += direction
        while pitch % 12 not in scale:
            pitch += direction
    return pitch


def local_scale(scale, chord):
    """Bend a scale to a chord: chord tones enter, scale notes that rub against new ones leave.

    Parameters
    ----------
    scale : set of int
        Pitch classes.
    chord : Chord

    Returns
    -------
    set of int
        Pitch classes.
    """
    tones = set(chord.pitch_classes)
    foreign = tones - scale
    rubbing = {(tone + step) % 12 for tone in foreign for step in (-1, 1)}
    return (scale - rubbing) | tones


def voice(chord, previous, centre, n_voices=4):
    """Voice a chord in close position with the least movement from the previous voicing.

    Parameters
    ----------
    chord : Chord
    previous : tuple of int or None
        The voicing that went before.
    centre : int
        Pitch around which the voicing should lie.
    n_voices : int
        Most notes to sound; the fifth is the first to go.

    Returns
    -------
    tuple of int
        Pitches, ascending.
    """
    tones = list(chord.tones)
    while len(tones) > n_voices:
        tones.remove(7 if 7 in tones else tones[0])
    classes = sorted({(chord.root + tone) % 12 for tone in tones})

    def movement(voicing):
        drift = abs(sum(voicing) / len(voicing) - centre)
        if previous is None:
            return drift
        return sum(min(abs(p - q) for q in previous) for p in voicing) + 0.5 * drift

    voicings = []
    for lowest in range(centre - 12, centre + 6):
        if lowest % 12 in classes:
            ordered = sorted((c - lowest) % 12 for c in classes)
            voicings.append(tuple(lowest + interval for interval in ordered))
    return min(voicings, key=movement)


def power_chord(chord, lowest=40):
    """Return root, fifth and octave with the root at or above ``lowest`` (default: low E)."""
    root = lowest + (chord.root - lowest) % 12
    return (root, root + chord.degree("5"), root + 12)
