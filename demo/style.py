"""What a genre is made of."""

from dataclasses import dataclass

SLOW_BELOW_BPM, FAST_FROM_BPM = 90.0, 125.0


@dataclass(frozen=True)
class Sound:
    """How records of a genre are usually made; artists depart from it, see `cast.Mix`.

    Attributes
    ----------
    low_db, high_db : float
        Usual gains of the equaliser's shelves.
    drums_db : float
        Gain of the drums as FluidSynth plays them.
    room_s, wet, saturation : tuple of float
        Ranges of decay time, share of the room and drive.
    """

    low_db: float
    high_db: float
    drums_db: float
    room_s: tuple[float, float]
    wet: tuple[float, float]
    saturation: tuple[float, float]


@dataclass(frozen=True)
class Style:
    """The idioms of a genre, from which its artists and recordings choose.

    Patterns are written in sixteenths as `players` reads them; those of 16 or 32 signs are in
    4/4, those of 12 in 3/4.

    Attributes
    ----------
    name : str
        Value in the ``genre`` column.
    tempos : dict of str to tuple of float
        Range of beats a minute within each class of `tempo_class`.
    swings : tuple of float
        Habits of swing, see `score.swing`.
    swing_unit : float
        Note value that swings, in beats.
    kits : tuple of str
        Drum kits.
    grooves : tuple of dict
        See `players.play_drums`.
    fills : tuple of dict
        Half-bar fills.
    basses : tuple of str
        Bass instruments.
    bass_lines : tuple of str
        See `players.play_bass`.
    comps, seconds : tuple of (str, str)
        Accompanying instruments, the second one in the background, each with its texture.
    textures : dict of str to tuple of str
        Patterns for `players.play_chords`.
    leads : tuple of str
        Melody instruments.
    rhythms : dict of str to tuple of str
        One-bar rhythms of the melody for each density.
    progressions : dict of str to tuple of (str, str)
        Scale and chords for each colour of `moods.Mood`.
    forms : tuple of str
        Keys of `form.FORMS`.
    sound : Sound
    pump : float
        Depth, 0 to 1, by which each beat ducks everything but the drums.
    """

    name: str
    tempos: dict[str, tuple[float, float]]
    swings: tuple[float, ...]
    swing_unit: float
    kits: tuple[str, ...]
    grooves: tuple[dict[str, str], ...]
    fills: tuple[dict[str, str], ...]
    basses: tuple[str, ...]
    bass_lines: tuple[str, ...]
    comps: tuple[tuple[str, str], ...]
    seconds: tuple[tuple[str, str], ...]
    textures: dict[str, tuple[str, ...]]
    leads: tuple[str, ...]
    rhythms: dict[str, tuple[str, ...]]
    progressions: dict[str, tuple[tuple[str, str], ...]]
    forms: tuple[str, ...]
    sound: Sound
    pump: float = 0.0

    @property
    def has_waltz(self):
        """Whether some recordings may be in 3/4."""
        return any(len(line) == 12 for line in self.bass_lines)


def tempo_class(bpm):
    """Return ``"slow"``, ``"medium"`` or ``"fast"`` for a tempo in beats a minute."""
    if bpm < SLOW_BELOW_BPM:
        return "slow"
    return "medium" if bpm < FAST_FROM_BPM else "fast"


def in_metre(patterns, beats):
    """Return those of ``patterns`` (strings or grooves) that are written for a bar of ``beats``."""

    def length(pattern):
        return len(pattern if isinstance(pattern, str) else next(iter(pattern.values())))

    steps = 4 * beats
    return tuple(p for p in patterns if p == "walk" or length(p) % steps == 0)
