"""The plan of a piece: which bars belong to which section, who plays, over which chords."""

from dataclasses import dataclass

from theory import Chord

ROLES = {"d": "drums", "b": "bass", "c": "comp", "s": "second", "l": "lead"}

# Each section: share of the piece, letter, who plays (initials of the roles), energy.
FORMS = {
    "two strains": ((0.5, "A", "dbcsl", 0.9), (0.5, "B", "dbcsl", 1.0)),
    "introduction": ((0.25, "I", "bcs", 0.8), (0.5, "A", "dbcsl", 0.95), (0.25, "B", "dbcsl", 1.0)),
    "build": ((0.2, "I", "dc", 0.75), (0.25, "I", "dbc", 0.85), (0.55, "A", "dbcsl", 1.0)),
    "break": ((0.4, "A", "dbcsl", 0.95), (0.25, "C", "cl", 0.75), (0.35, "A", "dbcsl", 1.05)),
    "drop": ((0.4, "A", "bcsl", 0.85), (0.2, "C", "dc", 0.8), (0.4, "B", "dbcsl", 1.1)),
    "duet": ((0.45, "A", "cl", 0.8), (0.55, "B", "dbcsl", 1.0)),
    "groove": ((0.3, "I", "dbc", 0.9), (0.45, "A", "dbcl", 0.95), (0.25, "B", "dbcsl", 1.0)),
}


@dataclass(frozen=True)
class Bar:
    """One bar of the plan.

    Attributes
    ----------
    start : float
        Beats from the start of the piece.
    beats : int
        Length in beats.
    section : str
        ``I`` introduction, ``A`` and ``B`` strains, ``C`` contrast.
    layers : frozenset of str
        Roles that play.
    energy : float
        Factor on velocities.
    position : int
        Which bar of its section it is, from 0.
    is_last : bool
        Whether the section ends with it: the place of fills and cadences.
    chords : tuple of Chord
        They share the bar equally.
    following : Chord
        First chord of the next bar.
    """

    start: float
    beats: int
    section: str
    layers: frozenset[str]
    energy: float
    position: int
    is_last: bool
    chords: tuple[Chord, ...]
    following: Chord

    def chord_at(self, beat):
        """Return the chord that sounds ``beat`` beats into the bar."""
        return self.chords[min(int(beat / self.beats * len(self.chords)), len(self.chords) - 1)]


def plan_form(form, n_bars, beats_per_bar, strain, contrast, swell):
    """Lay a form out over bars.

    Parameters
    ----------
    form : str
        Key of `FORMS`.
    n_bars : int
    beats_per_bar : int
    strain, contrast : list of list of Chord
        Harmony of the introduction and section A, and of sections B and C, a list a bar.
    swell : float
        Growth of energy from the first bar to the last.

    Returns
    -------
    list of Bar
    """
    sections = FORMS[form]
    ends, share_so_far = [], 0.0
    for share, *_ in sections:
        share_so_far += share
        ends.append(max(round(share_so_far * n_bars), 1))
    ends[-1] = n_bars

    harmony = []
    for index in range(n_bars + 1):
        section = min(sum(index >= end for end in ends), len(sections) - 1)
        source = contrast if sections[section][1] in "BC" else strain
        harmony.append(source[index % len(source)])

    bars = []
    first = 0
    for (_, letter, initials, energy), end in zip(sections, ends, strict=True):
        for index in range(first, end):
            growth = 1 + swell * (index / max(n_bars - 1, 1) - 0.5)
            bars.append(
                Bar(
                    start=float(index * beats_per_bar),
                    beats=beats_per_bar,
                    section=letter,
                    layers=frozenset(ROLES[initial] for initial in initials),
                    energy=energy * growth,
                    position=index - first,
                    is_last=index == end - 1,
                    chords=tuple(harmony[index]),
                    following=harmony[index + 1][0],
                )
            )
        first = max(first, end)
    return bars
