"""From a planned recording to its score: the form, the players, the ending."""

from cast import generator, grooves_of
from form import plan_form
from instruments import DRUMS, INSTRUMENTS, KITS
from moods import MOODS
from players import play_bass, play_chords, play_drums, play_melody
from score import Note, Part, Score, perform
from style import in_metre
from theory import SCALES, nearest, parse_chord, parse_progression, voice

FADE_S = 1.6

# A final chord that would have to ring longer than this becomes one more bar and a fade.
LONGEST_RING_S = 2.0
SHORTEST_RING_S = 0.9


def lay_out(recording):
    """Fit whole bars into the recording's length.

    Returns
    -------
    n_bars : int
    fades : bool
        Whether the recording fades out instead of ending on a chord.
    """
    bar_s = recording.beats_per_bar * 60.0 / recording.bpm
    n_bars = int((recording.seconds - SHORTEST_RING_S) / bar_s)
    fades = recording.seconds - n_bars * bar_s > LONGEST_RING_S
    return n_bars + fades, fades


def arrange(recording, seed):
    """Write and perform the score of a recording.

    Parameters
    ----------
    recording : Recording
    seed : int

    Returns
    -------
    Score
    """
    artist, mood = recording.artist, MOODS[recording.mood]
    beats = recording.beats_per_bar
    n_bars, fades = lay_out(recording)
    bars = plan_form(
        recording.form,
        n_bars,
        beats,
        parse_progression(recording.strain, recording.key),
        parse_progression(recording.contrast, recording.key),
        mood.swell,
    )

    def rng(role):
        return generator(seed, artist.genres[0], artist.name, recording.title, role)

    parts = []
    grooves = grooves_of(artist, beats)
    if grooves:
        notes = play_drums(bars, *grooves, artist.rhythm.fills, mood.drive, rng("drums"))
        parts.append(Part("drums", KITS[artist.kit], notes))
    bass = INSTRUMENTS[artist.bass]
    line = artist.favourite(in_metre(artist.rhythm.bass_lines, beats))
    notes = play_bass(bars, line, bass, mood.articulation, rng("bass"))
    parts.append(Part("bass", bass.program, notes))
    for role, (name, texture), style in (
        ("comp", artist.comp, artist.harmony),
        ("second", artist.second, artist.rhythm),
    ):
        pattern = artist.favourite(in_metre(style.textures[texture], beats))
        notes = play_chords(
            bars,
            role,
            pattern,
            INSTRUMENTS[name],
            mood,
            artist.n_voices,
            rng(role),
            is_power=texture == "power",
        )
        parts.append(Part(role, INSTRUMENTS[name].program, notes))
    lead = INSTRUMENTS[artist.lead]
    notes = play_melody(
        bars,
        in_metre(artist.harmony.rhythms[mood.density], beats),
        recording.scale,
        recording.key,
        lead,
        mood,
        artist.ornament,
        rng("lead"),
    )
    parts.append(Part("lead", lead.program, notes, has_vibrato=lead.sings))

    if not fades:
        _end(parts, recording, bars, mood)
    for part in parts:
        part.notes = [
            Note(n.start, n.duration, n.pitch, n.velocity * mood.loudness) for n in part.notes
        ]
    played = [perform(part, recording.bpm, artist.feel, rng(part.role + " feel")) for part in parts]
    return Score(recording.bpm, recording.seconds * recording.bpm / 60.0, played)


def _home_chord(recording):
    """Return the plain tonic triad, minor or major as the progression has it, else the scale."""
    chords = [c for bar in parse_progression(recording.strain, recording.key) for c in bar]
    tonics = [chord for chord in chords if chord.root == recording.key]
    thirds = tonics[0].tones if tonics else SCALES[recording.scale]
    return parse_chord("i" if 3 in thirds and 4 not in thirds else "I", recording.key)


def _end(parts, recording, bars, mood):
    """Close on the tonic: whoever played in the last bar holds the home chord."""
    start = len(bars) * float(recording.beats_per_bar)
    ring = recording.seconds * recording.bpm / 60.0 - start - 0.3
    home = _home_chord(recording)
    velocity = 92 * bars[-1].energy
    for part in parts:
        if part.role not in bars[-1].layers or not part.notes:
            continue
        if part.role == "drums":
            part.notes.append(Note(start, 1.0, DRUMS["kick"], velocity))
            if mood.drive:
                part.notes.append(Note(start, 1.0, DRUMS["crash"], 0.6 * velocity))
            continue
        last = max(part.notes, key=lambda note: note.start)
        if part.role in ("bass", "lead"):
            degrees = home.pitch_classes if part.role == "lead" else home.pitch_classes[:1]
            pitches = (nearest(last.pitch, degrees),)
        else:
            pitches = voice(home, None, round(last.pitch - 3), 3)
        part.notes += [Note(start, ring, pitch, velocity) for pitch in pitches]
