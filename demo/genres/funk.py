"""Funk: everything on the one, sixteenths in between."""

from style import Sound, Style

STYLE = Style(
    name="funk",
    tempos={"slow": (72, 88), "medium": (94, 120), "fast": (126, 140)},
    swings=(0.5, 0.53, 0.56, 0.6),
    swing_unit=0.25,
    kits=("standard kit", "room kit", "electronic kit"),
    grooves=(
        {"kick": "X..x..x...x..x..", "snare": "....X..o.o..X..o", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "X.x.......x..x..", "snare": "....X..o.o.oX...", "hat": "xxxxxxxxxxxxxxxx"},
        {
            "kick": "X.....x.x.x.....",
            "snare": "....X.......X.o.",
            "hat": "x.xxx.x.x.xxx...",
            "open": "..............x.",
        },
        {
            "kick": "X..x......xx....",
            "snare": "....X..o.o..X...",
            "hat": "x.x.x.x.x.x.x.x.",
            "cowbell": "x...x...x...x...",
        },
        {
            "kick": "X...x...x...x...",
            "snare": "....X.......X..?",
            "open": "..x...x...x...x.",
            "tambourine": "x.x.x.x.x.x.x.x.",
        },
    ),
    fills=(
        {"snare": "X.o.X.oX", "kick": "..x..x.."},
        {"snare": "..XX.XX.", "kick": "x..x...x"},
        {"snare": "x.xx....", "high tom": "....xx..", "low tom": "......xx"},
    ),
    basses=("slap bass", "finger bass", "synth bass", "finger bass"),
    bass_lines=(
        "1..1..8.7.5...a.",
        "1-....1.8.7.5.7.",
        "1.8...1...7.8.a.",
        "1.1...5.7.8...1.1.1.....7.5.3.a.",
        "1..8..1..8..7.5.",
    ),
    comps=(
        ("clavinet", "sixteenths"),
        ("muted guitar", "sixteenths"),
        ("clean guitar", "scratch"),
        ("tine piano", "stabs"),
        ("percussive organ", "stabs"),
    ),
    seconds=(
        ("brass section", "riff"),
        ("tine piano", "hold"),
        ("drawbar organ", "hold"),
        ("synth strings", "hold"),
        ("clean guitar", "scratch"),
        ("synth brass", "riff"),
    ),
    textures={
        "sixteenths": ("x.xo.x.ox..o.x..", "..xo..x.xo.x..x.", "x..x..x.o.x.o.x."),
        "scratch": ("..o.X..o..o.X.oo", "o.oX..o.o.oX..o.", "....X.......X..x"),
        "stabs": ("X-......x-.x....", "..x-..x-....x-..", "X-.x-.......x-.."),
        "hold": ("x---------------", "x-------x-------"),
        "riff": ("X.........x.X-..", "......X-..X.....", "X-.X..............x.xX-........."),
    },
    leads=(
        "alto saxophone",
        "trumpet",
        "clavinet",
        "rock organ",
        "tine piano",
        "overdriven guitar",
        "trombone",
        "saw lead",
        "tenor saxophone",
    ),
    rhythms={
        "sparse": ("x--x----........", "....x--x--x-----", "x-x-----....x---"),
        "medium": ("x-.x..x-..x-x---", "..x-xx..x--x--..", "x-xx..x-....x-x-"),
        "dense": ("x-xxx-xxx-x-xx--", "xx.xx-x-xx.xx---", "..xxx-xx.xx-x-x-"),
    },
    progressions={
        "bright": (
            ("mixolydian", "I9 | I9 | IV9 | I9"),
            ("major", "Imaj7 | vi7 | ii7 | V7sus4"),
            ("mixolydian", "I9 | bVII9 | IV9 | I9"),
        ),
        "dark": (
            ("dorian", "i7 | i7 | IV9 | i7"),
            ("minor pentatonic", "i9 | bVII9 | bVI9 | V7#9"),
            ("dorian", "i7 | iv9 | i7 | V7#9"),
        ),
        "floating": (
            ("major", "ii9 | V13 | ii9 | V13"),
            ("lydian", "Imaj9 | ii9 | iii7 | IVmaj9"),
        ),
        "tense": (
            ("blues", "I7#9 | I7#9 | bIII7 | bII7#9"),
            ("phrygian", "i7 | bII9 | i7 | bII9"),
            ("harmonic minor", "i7 | bVI7 | V7#9 | i7"),
        ),
    },
    forms=("two strains", "build", "break", "groove", "introduction"),
    sound=Sound(
        low_db=1,
        high_db=2,
        drums_db=8,
        room_s=(0.2, 0.5),
        wet=(0.03, 0.15),
        saturation=(0.8, 2.0),
    ),
)
