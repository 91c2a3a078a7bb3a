"""Notes, parts and scores; their timing in performance; their MIDI."""

from dataclasses import dataclass, field, replace

import mido

TICKS_PER_BEAT = 960
DRUM_CHANNEL = 9
MODULATION = 1  # the controller of vibrato

# Long notes begin plain; vibrato comes later, to about 16 cents.
VIBRATO_FROM_BEATS, VIBRATO_AFTER_BEATS, VIBRATO_DEPTH = 0.9, 0.35, 42


@dataclass(frozen=True)
class Note:
    """A note; times in beats from the start of the piece, velocity 1 to 127."""

    start: float
    duration: float
    pitch: int
    velocity: float


@dataclass
class Part:
    """What one player plays.

    Attributes
    ----------
    role : str
        ``drums``, ``bass``, ``comp``, ``second`` or ``lead``.
    program : int
        General MIDI program, or the drum kit where the role is ``drums``.
    notes : list of Note
    has_vibrato : bool
        Whether long notes get vibrato.
    """

    role: str
    program: int
    notes: list[Note] = field(default_factory=list)
    has_vibrato: bool = False


@dataclass
class Score:
    """A piece of music; ``beats`` is its length up to the final chord's end."""

    bpm: float
    beats: float
    parts: list[Part]

    @property
    def seconds(self):
        """Length in seconds."""
        return self.beats * 60.0 / self.bpm


def swing(beat, ratio, unit):
    """Delay the off-beats.

    Parameters
    ----------
    beat : float
        Written time, in beats.
    ratio : float
        Share of a pair that its first note takes: 0.5 is straight, 0.667 a triplet feel.
    unit : float
        The note value that swings, in beats: 0.5 for eighths, 0.25 for sixteenths.

    Returns
    -------
    float
        Played time, in beats.
    """
    pair = 2 * unit
    whole, phase = divmod(beat / pair, 1.0)
    bent = phase * 2 * ratio if phase < 0.5 else ratio + (phase - 0.5) * 2 * (1 - ratio)
    return (whole + bent) * pair


def perform(part, bpm, feel, rng):
    """Play a part as this artist does: swung, a little loose, ahead of or behind the beat.

    Parameters
    ----------
    part : Part
    bpm : float
    feel : Feel
        The artist's habits of timing (see `cast`).
    rng : numpy.random.Generator

    Returns
    -------
    Part
    """
    beats_per_second = bpm / 60.0
    delay = feel.lateness.get(part.role, 0.0) * beats_per_second
    played = []
    for note in part.notes:
        start = swing(note.start, feel.swing, feel.swing_unit)
        duration = swing(note.start + note.duration, feel.swing, feel.swing_unit) - start
        start += delay + rng.normal(0.0, feel.looseness) * beats_per_second
        velocity = note.velocity * (1 + rng.normal(0.0, feel.unevenness))
        played.append(Note(max(start, 0.0), max(duration, 0.06), note.pitch, velocity))
    return replace(part, notes=played)


def to_midi(part, bpm):
    """Write one part as a MIDI file object.

    Parameters
    ----------
    part : Part
    bpm : float
        Quarter notes a minute.

    Returns
    -------
    mido.MidiFile
    """
    channel = DRUM_CHANNEL if part.role == "drums" else 0
    # Each event: tick, rank among those of the same tick (endings first), message.
    events = []
    again = {}  # where each pitch sounds next, seen from the end
    for note in sorted(part.notes, key=lambda note: note.start, reverse=True):
        start = round(note.start * TICKS_PER_BEAT)
        end = max(round((note.start + note.duration) * TICKS_PER_BEAT), start + 1)
        # A pitch that is struck again while it sounds would be silenced by its first ending.
        end = min(end, max(again.get(note.pitch, end), start + 1))
        again[note.pitch] = start
        velocity = int(min(max(note.velocity, 1), 127))
        events.append((end, 0, "note_off", {"note": note.pitch}))
        events.append((start, 2, "note_on", {"note": note.pitch, "velocity": velocity}))
        if part.has_vibrato and note.duration >= VIBRATO_FROM_BEATS:
            onset = start + round(VIBRATO_AFTER_BEATS * TICKS_PER_BEAT)
            for tick, depth in ((start, 0), (onset, VIBRATO_DEPTH), (end, 0)):
                events.append((tick, 1, "control_change", {"control": MODULATION, "value": depth}))
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm)))
    track.append(mido.Message("program_change", channel=channel, program=part.program))
    now = 0
    for tick, _, kind, values in sorted(events, key=lambda event: event[:2]):
        track.append(mido.Message(kind, channel=channel, time=tick - now, **values))
        now = tick
    midi = mido.MidiFile(ticks_per_beat=TICKS_PER_BEAT)
    midi.tracks.append(track)
    return midi
