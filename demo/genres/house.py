"""House: four to the floor, off-beat hats, chords that pump."""

from style import Sound, Style

STYLE = Style(
    name="house",
    tempos={"slow": (78, 89), "medium": (104, 124), "fast": (125, 138)},
    swings=(0.5, 0.5, 0.54, 0.57),
    swing_unit=0.25,
    kits=("analogue kit", "electronic kit", "analogue kit"),
    grooves=(
        {
            "kick": "X...X...X...X...",
            "clap": "....x.......x...",
            "open": "..x...x...x...x.",
            "hat": "o.o.o.o.o.o.o.oo",
        },
        {
            "kick": "X...X...X...X..x",
            "clap": "....x.......x...",
            "hat": "..x...x...x...x.",
            "shaker": "xoxoxoxoxoxoxoxo",
        },
        {
            "kick": "X...X...X...X...",
            "snare": "....x..?.?..x...",
            "open": "..x...x...x...x.",
            "side": "...x..x....x..x.",
        },
        {
            "kick": "X...X...X...X...",
            "clap": "....x.......x..?",
            "ride": "..x...x...x...x.",
            "high conga": "...x..x...x...xx",
        },
        {
            "kick": "X..x..x...x..x..",
            "clap": "....x.......x...",
            "hat": "x.x.x.x.x.x.x.x.",
            "open": "..............x.",
        },
    ),
    fills=(
        {"snare": "x.x.xxxx", "kick": "X...X..."},
        {"clap": "..x.x.xx", "kick": "X......."},
        {"kick": "X...X...", "high conga": "xx.xx.x.", "low conga": "...x..xx"},
    ),
    basses=("synth bass", "deep synth bass", "finger bass"),
    bass_lines=(
        "..1...1...1...1.",
        "..1..1....1..8..",
        "1..1..1...1.8.7.",
        "..8...8...8...8.",
        "1-....1...1..8..",
    ),
    comps=(
        ("tine piano", "stabs"),
        ("bright piano", "piano"),
        ("poly synth", "stabs"),
        ("drawbar organ", "stabs"),
        ("saw lead", "sequence"),
        ("square lead", "sequence"),
        ("fm piano", "piano"),
    ),
    seconds=(
        ("warm pad", "hold"),
        ("synth strings", "hold"),
        ("halo pad", "hold"),
        ("sweep pad", "hold"),
        ("choir pad", "hold"),
        ("strings", "hold"),
    ),
    textures={
        "stabs": ("...x..x....x..x.", "x-.x-.x-...x-...", "..x-..x-..x-..x-"),
        "piano": ("X-.x-.x-.x-.x-x-", "X-..x-..x-.x..x-", "x-.x..x-..x-.x.."),
        "sequence": ("1.32.4.31.32.454", "1143114211431145", "1.4.3.4.2.4.3.4."),
        "hold": ("x---------------",),
    },
    leads=(
        "saw lead",
        "square lead",
        "calliope lead",
        "synth voice",
        "bright piano",
        "crystal synth",
        "choir",
        "alto saxophone",
    ),
    rhythms={
        "sparse": ("x-------........", "......x---x-----", "x--x--------...."),
        "medium": ("x--x--x---x--x--", "..x-..x-..x-x---", "x-.x-.x-....x-x-"),
        "dense": ("x-xx.xx.x-xx.xx.", "xx.xx.xxxx.xx.x-", "x.xxx.xx.xx.x.xx"),
    },
    progressions={
        "bright": (
            ("major", "IVmaj7 | V | vi7 | Imaj7"),
            ("mixolydian", "I | bVII | IV | I"),
            ("major pentatonic", "I | vi7 | IVmaj7 | V"),
        ),
        "dark": (
            ("minor", "i9 | bVImaj7 | bIIImaj7 | bVII"),
            ("dorian", "i7 | i7 | iv9 | iv9"),
            ("minor pentatonic", "i7 | v7 | bVImaj7 | bVII"),
        ),
        "floating": (
            ("lydian", "Imaj9 | Imaj9 | II | II"),
            ("major", "IVmaj9 | iii7 | IVmaj9 | vi9"),
        ),
        "tense": (
            ("phrygian", "i | i | bII | bII"),
            ("harmonic minor", "i | bVI | iv | V"),
            ("phrygian", "i7 | bIImaj7 | i7 | bvii7"),
        ),
    },
    forms=("build", "break", "drop", "groove", "two strains"),
    sound=Sound(
        low_db=4,
        high_db=3,
        drums_db=6,
        room_s=(0.4, 1.6),
        wet=(0.1, 0.3),
        saturation=(1.0, 3.0),
    ),
    pump=0.55,
)
