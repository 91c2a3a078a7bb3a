"""Artists, their lasting habits, and the recordings that they make."""

import hashlib
from dataclasses import dataclass

import numpy as np
from form import FORMS
from genres import STYLES
from moods import MOODS
from roster import ARTISTS, HYBRIDS, TITLE_HALVES
from style import Style, in_metre

# Recordings a genre by mood and tempo class: each mood at each tempo where it is believable,
# the tempo classes equally often.
DECK = {
    "happy": {"slow": 1, "medium": 2, "fast": 1},
    "sad": {"slow": 2, "medium": 1, "fast": 1},
    "calm": {"slow": 2, "medium": 2, "fast": 0},
    "tense": {"slow": 1, "medium": 1, "fast": 2},
    "dreamy": {"slow": 2, "medium": 1, "fast": 1},
    "energetic": {"slow": 0, "medium": 1, "fast": 3},
}

SHORTEST_S, LONGEST_S = 12.7, 13.6


def generator(*words):
    """Return a random generator that depends on nothing but ``words``.

    Returns
    -------
    numpy.random.Generator
    """
    digest = hashlib.sha256("\x1f".join(str(word) for word in words).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


@dataclass(frozen=True)
class Feel:
    """Habits of timing.

    Attributes
    ----------
    swing, swing_unit : float
        See `score.swing`.
    looseness : float
        Standard deviation of onsets, in seconds.
    unevenness : float
        Standard deviation of velocities, relative.
    lateness : dict of str to float
        Seconds behind the beat by role.
    """

    swing: float
    swing_unit: float
    looseness: float
    unevenness: float
    lateness: dict[str, float]


@dataclass(frozen=True)
class Mix:
    """The sound of an artist's records.

    Attributes
    ----------
    low_db, mid_db, high_db : float
        Gains of the equaliser's low shelf, bell and high shelf.
    mid_hz : float
        Centre of the bell.
    bandwidth_hz : float
        Where the recording chain rolls off.
    room_s : float
        Time in which the room decays by 60 dB.
    wet : float
        Share of the room, as a factor on amplitude.
    saturation : float
        Gain into the tape; below 1 it stays nearly linear.
    level_db : float
        Root-mean-square level of a recording of middling loudness, dB below full scale.
    balance_db : dict of str to float
        Faders by role.
    """

    low_db: float
    mid_hz: float
    mid_db: float
    high_db: float
    bandwidth_hz: float
    room_s: float
    wet: float
    saturation: float
    level_db: float
    balance_db: dict[str, float]


@dataclass(frozen=True)
class Artist:
    """A band or soloist with habits that last from one recording to the next.

    Attributes
    ----------
    name : str
    genres : tuple of str
        The home genre first; two for hybrids.
    rhythm, harmony : Style
        Where drums, bass and background, and where chords and melody come from; the same but
        for hybrids.
    kit, bass, lead : str
        Instruments.
    comp, second : tuple of (str, str)
        Instruments with their textures.
    taste : int
        Chooses among the patterns of a style.
    ornament : float
        Probability of grace notes.
    n_voices : int
        Notes in a chord.
    feel : Feel
    mix : Mix
    """

    name: str
    genres: tuple[str, ...]
    rhythm: Style
    harmony: Style
    kit: str
    bass: str
    comp: tuple[str, str]
    second: tuple[str, str]
    lead: str
    taste: int
    ornament: float
    n_voices: int
    feel: Feel
    mix: Mix

    def favourite(self, patterns, salt=0):
        """Return the pattern that this artist plays among ``patterns``."""
        return patterns[(self.taste + salt) % len(patterns)]


@dataclass(frozen=True)
class Recording:
    """What is decided before a note is written.

    Attributes
    ----------
    artist : Artist
    title, mood : str
    bpm : float
        Quarter notes a minute.
    key : int
        Pitch class of the tonic.
    beats_per_bar : int
    scale, strain, contrast : str
        Scale of the melody and progressions of the sections, see `style.Style`.
    form : str
        Key of `form.FORMS`.
    seconds : float
        Length.
    """

    artist: Artist
    title: str
    mood: str
    bpm: float
    key: int
    beats_per_bar: int
    scale: str
    strain: str
    contrast: str
    form: str
    seconds: float


def hire(genre, seed):
    """Make the artists of a genre.

    Parameters
    ----------
    genre : str
    seed : int

    Returns
    -------
    list of Artist
    """
    names = ARTISTS[genre]
    # Shuffled once a genre and dealt in turn, so that neighbours share few instruments.
    deals = {
        what: generator(seed, genre, what).permutation(100)
        for what in ("kit", "bass", "comp", "second", "lead")
    }

    def deal(what, options, index, taken=()):
        order = [options[i] for i in deals[what] if i < len(options)]
        free = [o for o in order if (o if isinstance(o, str) else o[0]) not in taken]
        return free[index % len(free)]

    artists = []
    for index, name in enumerate(names):
        rng = generator(seed, genre, name)
        rhythm_genre, harmony_genre = HYBRIDS.get(name, (genre, genre))
        rhythm, harmony = STYLES[rhythm_genre], STYLES[harmony_genre]
        lead = deal("lead", harmony.leads, index)
        comp = deal("comp", harmony.comps, index, taken=(lead,))
        # A hybrid's background goes with its drums: both genres are then heard among the chords.
        second = deal("second", rhythm.seconds, index, taken=(lead, comp[0]))
        artists.append(
            Artist(
                name=name,
                genres=tuple(dict.fromkeys((genre, rhythm_genre, harmony_genre))),
                rhythm=rhythm,
                harmony=harmony,
                kit=deal("kit", rhythm.kits, index),
                bass=deal("bass", rhythm.basses, index),
                comp=comp,
                second=second,
                lead=lead,
                taste=int(rng.integers(1000)),
                ornament=float(rng.choice((0.0, 0.1, 0.25, 0.4))),
                n_voices=int(rng.choice((3, 4, 4))),
                feel=_draw_feel(rhythm, rng),
                mix=_draw_mix(rhythm.sound, rng),
            )
        )
    return artists


def _draw_feel(style, rng):
    return Feel(
        swing=float(rng.choice(style.swings)),
        swing_unit=style.swing_unit,
        looseness=rng.uniform(0.002, 0.012),
        unevenness=rng.uniform(0.02, 0.1),
        lateness={
            "bass": rng.uniform(-0.004, 0.014),
            "comp": rng.uniform(-0.006, 0.012),
            "lead": rng.uniform(-0.004, 0.03),
        },
    )


def _draw_mix(sound, rng):
    roles = ("drums", "bass", "comp", "second", "lead")
    return Mix(
        low_db=sound.low_db + rng.uniform(-4, 4),
        mid_hz=float(np.exp(rng.uniform(np.log(350), np.log(2800)))),
        mid_db=rng.uniform(-5, 4),
        high_db=sound.high_db + rng.uniform(-5, 5),
        bandwidth_hz=float(rng.choice((6000, 8000, 9500, 10500))),
        room_s=rng.uniform(*sound.room_s),
        wet=rng.uniform(*sound.wet),
        saturation=rng.uniform(*sound.saturation),
        level_db=rng.uniform(-24, -15),
        balance_db={role: rng.uniform(-2.5, 2.5) for role in roles},
    )


def book(artists, seed):
    """Plan two recordings for each artist of a genre; the two differ in mood.

    Parameters
    ----------
    artists : list of Artist
        All of one genre.
    seed : int

    Returns
    -------
    list of Recording
    """
    genre = artists[0].genres[0]
    rng = generator(seed, genre, "deck")
    deck = [(m, t) for m, tempos in DECK.items() for t, n in tempos.items() for _ in range(n)]
    if len(deck) != 2 * len(artists):
        raise ValueError(f"{genre} has {len(artists)} artists; DECK plans for {len(deck) // 2}")
    while any(deck[i][0] == deck[i + 1][0] for i in range(0, len(deck), 2)):
        deck = [deck[i] for i in rng.permutation(len(deck))]
    titles = {mood: _titles(genre, mood, seed) for mood in MOODS}
    recordings = []
    for index, (mood, tempo) in enumerate(deck):
        recordings.append(_plan(artists[index // 2], titles[mood].pop(), mood, tempo, seed))
    return recordings


def _titles(genre, mood, seed):
    """Pair first and second halves so that no title occurs twice in the catalogue.

    The pairing counts on the order of `ARTISTS`: a new genre goes to its end.
    """
    first, second = TITLE_HALVES[mood]
    order = generator(seed, mood, "titles").permutation(len(second))
    shift = list(ARTISTS).index(genre)
    starts = generator(seed, genre, mood, "titles").permutation(len(first))[:4]
    return [f"{first[i]} {second[order[(i + shift) % len(second)]]}" for i in starts]


def _plan(artist, title, mood, tempo, seed):
    rng = generator(seed, artist.genres[0], artist.name, title)
    colour = rng.choice(MOODS[mood].colours)
    options = artist.harmony.progressions[colour]
    scale, strain = options[rng.integers(len(options))]
    fitting = [text for other, text in options if other == scale]
    waltz = artist.rhythm is artist.harmony and artist.harmony.has_waltz and rng.random() < 0.25
    forms = [f for f in artist.harmony.forms if f in artist.rhythm.forms] or list(FORMS)
    low, high = artist.rhythm.tempos[tempo]
    return Recording(
        artist=artist,
        title=title,
        mood=mood,
        bpm=round(float(rng.uniform(low, high)), 1),
        key=int(rng.integers(12)),
        beats_per_bar=3 if waltz else 4,
        scale=scale,
        strain=strain,
        contrast=fitting[rng.integers(len(fitting))],
        form=str(rng.choice(forms)),
        seconds=float(rng.uniform(SHORTEST_S, LONGEST_S)),
    )


def grooves_of(artist, beats):
    """Return the artist's two grooves for bars of ``beats``, none where they have no drummer."""
    fitting = in_metre(artist.rhythm.grooves, beats)
    if not fitting:
        return None
    return artist.favourite(fitting), artist.favourite(fitting, salt=1)
