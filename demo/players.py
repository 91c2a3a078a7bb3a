"""The players: they read patterns, chords and moods and return notes.

A pattern is a string with one character for each sixteenth note, a bar or two long. What the
characters mean is each player's own affair and stands in its docstring; ``.`` is always silence.
"""

from instruments import DRUMS
from score import Note
from theory import SCALES, local_scale, nearest, power_chord, scale_step, voice

STEP = 0.25
_ACCENTS = {"X": 118, "x": 98, "o": 58, "?": 50}


def bar_of(pattern, bar):
    """Return the sixteenths of a pattern that fall into a bar; two-bar patterns alternate."""
    steps = round(bar.beats / STEP)
    halves = [pattern[i : i + steps] for i in range(0, len(pattern), steps)]
    return halves[bar.position % len(halves)]


def _sounding(steps, at):
    """Return how many sixteenths a sign at ``at`` sounds: itself and the dashes after it."""
    length = 1
    while at + length < len(steps) and steps[at + length] == "-":
        length += 1
    return length


def play_drums(bars, main, other, fills, drive, rng):
    """Play drum grooves with crashes, fills and ghost notes.

    Parameters
    ----------
    bars : list of Bar
    main, other : dict of str to str
        Grooves of the introduction and section A, and of sections B and C: a pattern for each
        drum of `DRUMS`. ``X`` is an accent, ``x`` a stroke, ``o`` a ghost note, ``?`` a ghost
        note that is played now and then.
    fills : tuple of dict
        Grooves that replace the second half of a section's last bar.
    drive : int
        See `Mood`.
    rng : numpy.random.Generator

    Returns
    -------
    list of Note
    """
    notes = []
    for index, bar in enumerate(bars):
        if "drums" not in bar.layers:
            continue
        groove = other if bar.section in "BC" else main
        rows = {drum: bar_of(pattern, bar) for drum, pattern in groove.items()}
        is_quiet = drive == 0 or bar.section == "I"
        if bar.is_last and not is_quiet and index < len(bars) - 1:
            rows = _with_fill(rows, fills[rng.integers(len(fills))])
        for drum, steps in rows.items():
            for at, sign in enumerate(steps):
                if sign == "." or (sign == "?" and rng.random() > 0.4):
                    continue
                played = _reduced(drum) if drive == 0 else drum
                if drive == 2 and drum == "hat" and at % 4 == 2 and sign in "Xx":
                    played = "open"
                velocity = _ACCENTS[sign] * bar.energy * rng.uniform(0.92, 1.06)
                notes.append(Note(bar.start + at * STEP, 0.2, DRUMS[played], velocity))
        starts_section = bar.position == 0 and bar.section in "AB"
        if starts_section and drive > 0 and "snare" in groove:
            notes.append(Note(bar.start, 1.0, DRUMS["crash"], (48 + 16 * drive) * bar.energy))
    return notes


def _reduced(drum):
    return {"snare": "side", "open": "hat", "crash": "ride"}.get(drum, drum)


def _with_fill(rows, fill):
    """Replace the last half of every row by the fill, which is written half a bar long."""
    steps = len(next(iter(rows.values())))
    length = len(next(iter(fill.values())))
    kept = {drum: row[: steps - length] + "." * length for drum, row in rows.items()}
    for drum, row in fill.items():
        kept[drum] = kept.get(drum, "." * steps)[: steps - length] + row
    return kept


def play_bass(bars, line, instrument, articulation, rng):
    """Play a bass line.

    Parameters
    ----------
    bars : list of Bar
    line : str
        ``1 3 5 6 7 8`` are degrees of the chord of the moment, ``n`` the next bar's root, ``a``
        a semitone's approach to it, ``-`` holds. ``"walk"`` walks in quarter notes.
    instrument : Instrument
    articulation : float
    rng : numpy.random.Generator

    Returns
    -------
    list of Note
    """
    notes = []
    last_root = instrument.low + 10
    for bar in bars:
        if "bass" not in bar.layers:
            continue
        if line == "walk":
            notes += _walk(bar, instrument, rng)
            continue
        steps = bar_of(line, bar)
        for at, sign in enumerate(steps):
            if sign in ".-":
                continue
            chord = bar.chord_at(at * STEP)
            target = bar.following if sign in "na" else chord
            root = nearest(min(last_root, instrument.low + 12), (target.root,))
            if root < instrument.low:
                root += 12
            if sign == "a":
                pitch = root + (1 if rng.random() < 0.4 else -1)
            elif sign == "n":
                pitch = root
            else:
                pitch = root + chord.degree(sign)
                last_root = root
            while pitch > instrument.high:
                pitch -= 12
            length = _sounding(steps, at)
            duration = length * STEP * (min(articulation + 0.25, 1.0) if length > 1 else 0.85)
            velocity = (100 if at % 4 == 0 else 90) * bar.energy
            notes.append(Note(bar.start + at * STEP, duration, pitch, velocity))
    return notes


def _walk(bar, instrument, rng):
    """Walk a bar: root, then chord tones, then a semitone's approach to the next root."""
    notes = []
    pitch = nearest(instrument.low + 12, (bar.chords[0].root,))
    for beat in range(bar.beats):
        chord = bar.chord_at(beat)
        is_new = beat == 0 or chord is not bar.chord_at(beat - 1)
        if beat == bar.beats - 1:
            side = 1 if rng.random() < 0.5 else -1
            pitch = nearest(pitch, (bar.following.root,)) + side
        elif is_new:
            pitch = nearest(pitch, (chord.root,))
        else:
            reach = pitch + int(rng.choice((-4, 4, 5)))
            pitch = nearest(reach, chord.pitch_classes)
        pitch = pitch + 12 if pitch < instrument.low else pitch
        pitch = pitch - 12 if pitch > instrument.high else pitch
        notes.append(Note(bar.start + beat, 0.92, pitch, 96 * bar.energy))
        if rng.random() < 0.15:
            notes.append(Note(bar.start + beat + 0.5, 0.35, pitch, 74 * bar.energy))
    return notes


def play_chords(bars, role, pattern, instrument, mood, n_voices, rng, is_power=False):
    """Accompany with chords.

    Parameters
    ----------
    bars : list of Bar
    role : str
        ``comp`` or ``second``.
    pattern : str
        ``x``, ``X`` and ``o`` are chords (plain, accented, soft), held through the dashes that
        follow; ``d`` and ``u`` are strums down and up; ``p`` is the next bar's chord, anticipated;
        ``1`` to ``5`` are single notes of the voicing, from below, which ring on; ``b`` is the
        root below the voicing.
    instrument : Instrument
    mood : Mood
    n_voices : int
    rng : numpy.random.Generator
    is_power : bool
        Play roots and fifths only, as distorted guitars do.

    Returns
    -------
    list of Note
    """
    notes = []
    centre = min(max(60 + mood.register, instrument.low + 8), instrument.high - 8)
    voicing, voiced = None, None
    for bar in bars:
        if role not in bar.layers:
            continue
        steps = bar_of(pattern, bar)
        for at, sign in enumerate(steps):
            if sign in ".-":
                continue
            chord = bar.following if sign == "p" else bar.chord_at(at * STEP)
            if chord != voiced:
                if is_power:
                    voicing = power_chord(chord)
                else:
                    voicing = voice(chord, voicing, centre, n_voices)
                voiced = chord
            start = bar.start + at * STEP
            length = _sounding(steps, at)
            stroke = {"X": 108, "o": 66, "u": 80}.get(sign, 92) * bar.energy
            if sign == "b":
                pitch = nearest(voicing[0] - 9, (chord.root,))
                notes.append(Note(start, max(length * STEP, 1.0), pitch, stroke))
            elif sign.isdigit():
                number = int(sign) - 1
                pitch = voicing[number % len(voicing)] + 12 * (number // len(voicing))
                ringing = max(length * STEP, 0.9 * mood.articulation)
                notes.append(Note(start, ringing, pitch, stroke * rng.uniform(0.88, 1.04)))
            else:
                held = length * STEP * (mood.articulation if length < 3 else 0.97)
                spread = {"d": 0.03, "u": -0.022}.get(sign, 0.004)
                if sign in "du":
                    held = max(held, 0.4)
                order = voicing if spread > 0 else voicing[::-1]
                for rank, pitch in enumerate(order):
                    delay = rank * abs(spread)
                    notes.append(Note(start + delay, held - delay / 2, pitch, stroke))
    return notes


# Strong beats of a motif take chord tones; elsewhere the line moves by these steps of the scale.
_CONTOURS = (
    (0, 1, 1, -1, 2, -1),
    (0, -1, -1, 2, -1, 1),
    (0, 2, -1, -1, 1, -2),
    (0, 1, -2, 1, 2, 1),
    (0, 0, 1, 0, -2, 1),
    (0, -2, 1, 1, 1, -3),
    (0, 3, -1, -1, -1, 1),
    (0, 0, 0, 1, -1, -1),
)


def play_melody(bars, rhythms, scale, key, instrument, mood, ornament, rng):
    """Sing a melody of two motifs, repeated, varied and closed by long chord tones.

    Parameters
    ----------
    bars : list of Bar
    rhythms : tuple of str
        One-bar rhythms: ``x`` a note, ``-`` held.
    scale : str
        Key of `SCALES`.
    key : int
        Pitch class of the tonic.
    instrument : Instrument
    mood : Mood
    ornament : float
        Probability of a grace note before a strong note.
    rng : numpy.random.Generator

    Returns
    -------
    list of Note
    """
    classes = {(key + step) % 12 for step in SCALES[scale]}
    span = instrument.high - instrument.low
    centre = instrument.low + 0.5 * span + mood.register
    centre = int(min(max(centre, 55, instrument.low + 6), 84, instrument.high - 5))
    floor = max(instrument.low, centre - 9)
    ceiling = min(instrument.high, centre + 10)
    motifs = {}
    for letter in "AB":
        picks = rng.permutation(len(rhythms))
        motifs[letter] = [
            (rhythms[picks[i % len(rhythms)]], _CONTOURS[rng.integers(len(_CONTOURS))])
            for i in range(2)
        ]
    lift = {"A": 0, "B": int(rng.choice((2, 3, 4))), "C": 0}

    notes = []
    pitch = centre
    for bar in bars:
        if "lead" not in bar.layers:
            continue
        # Statement, answer, statement, close: the order by which a tune is known again.
        call, answer = motifs["B" if bar.section == "B" else "A"]
        rhythm, contour = answer if bar.position % 2 else call
        steps = bar_of(rhythm, bar)
        is_close = bar.is_last or bar.position % 4 == 3
        start_pitch = centre + lift.get(bar.section, 0) + (1 if bar.position % 4 == 2 else 0)
        onsets = [at for at, sign in enumerate(steps) if sign == "x"]
        for number, at in enumerate(onsets):
            beat = at * STEP
            chord = bar.chord_at(beat)
            length = _sounding(steps, at)
            is_final = is_close and (number == len(onsets) - 1 or beat >= bar.beats * 0.6)
            if number == 0:
                pitch = nearest(round(0.7 * start_pitch + 0.3 * pitch), chord.pitch_classes)
            else:
                steps_up = contour[number % len(contour)]
                pitch = scale_step(pitch, steps_up, local_scale(classes, chord))
            if is_final:
                pitch = nearest(pitch, chord.pitch_classes[:3])
                length = len(steps) - at
            elif at % 8 == 0 or length >= 4:
                pitch = nearest(pitch, chord.pitch_classes)
            while pitch > ceiling:
                pitch -= 12 if pitch - 12 >= floor else 7
            while pitch < floor:
                pitch += 12
            pitch = nearest(pitch, local_scale(classes, chord))
            held = length * STEP * (min(mood.articulation, 1.02) if length < 6 else 0.92)
            velocity = (104 if at % 4 == 0 else 92) * bar.energy * rng.uniform(0.94, 1.05)
            start = bar.start + beat
            if at % 4 == 0 and length >= 2 and start > 0.2 and rng.random() < ornament:
                grace = scale_step(pitch, -1, classes)
                notes.append(Note(start - 0.11, 0.1, grace, velocity * 0.75))
            notes.append(Note(start, held, pitch, velocity))
            if is_final:
                break
    return notes
