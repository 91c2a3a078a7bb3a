"""What a mood makes the players do: a mood in the table is heard, not only written."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mood:
    """Instructions to the players.

    Attributes
    ----------
    colours : tuple of str
        Kinds of harmony to choose from: ``bright`` (major), ``dark`` (minor), ``floating`` (major
        sevenths and lydian fourths that lead nowhere) or ``tense`` (phrygian, harmonic minor).
    density : str
        Busyness of the melody: ``sparse``, ``medium`` or ``dense``.
    register : int
        Semitones by which melody and chords move up or down.
    loudness : float
        Factor on velocities.
    articulation : float
        Sounding part of a note's written length; above 1 notes overlap.
    drive : int
        Drums: 0 reduced and soft, 1 plain, 2 open hats and crashes.
    room : float
        Factor on the artist's reverberation.
    swell : float
        Growth of loudness from the first bar to the last.
    """

    colours: tuple[str, ...]
    density: str
    register: int
    loudness: float
    articulation: float
    drive: int
    room: float
    swell: float = 0.0


MOODS = {
    "happy": Mood(("bright",), "medium", 4, 0.95, 0.65, 1, 0.7),
    "sad": Mood(("dark",), "sparse", -4, 0.72, 1.0, 0, 1.2),
    "calm": Mood(("bright", "floating"), "sparse", -1, 0.62, 1.05, 0, 1.0),
    "tense": Mood(("tense",), "medium", -5, 0.95, 0.55, 1, 0.9, swell=0.35),
    "dreamy": Mood(("floating",), "medium", 6, 0.68, 1.15, 1, 1.9),
    "energetic": Mood(("bright", "dark"), "dense", 3, 1.12, 0.75, 2, 0.6, swell=0.1),
}
