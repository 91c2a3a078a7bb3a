"""Reggae: the skank on the off-beat, the one-drop, a bass that sings."""

from style import Sound, Style

STYLE = Style(
    name="reggae",
    tempos={"slow": (66, 86), "medium": (92, 112), "fast": (126, 152)},
    swings=(0.5, 0.54, 0.58, 0.62),
    swing_unit=0.25,
    kits=("standard kit", "room kit", "electronic kit"),
    grooves=(
        {"kick": "........X.......", "side": "........x..?....", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "X.......X.......", "side": "........x.......", "hat": "x.xox.x.x.xox.x."},
        {"kick": "X...X...X...X...", "snare": "........X......?", "hat": "x.x.x.x.x.x.x.x."},
        {
            "kick": "........X.......",
            "snare": "........x.o...o.",
            "hat": "..x...x...x...x.",
            "timbale": "o..o............",
        },
        {"kick": "....X.......X...", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
    ),
    fills=(
        {"timbale": "X.xX.xX.", "kick": "X......."},
        {"snare": "xxx.x...", "high tom": "...x..xx", "kick": "X......."},
        {"timbale": "xxxxX...", "snare": ".....x.x"},
    ),
    basses=("finger bass", "fretless bass", "deep synth bass"),
    bass_lines=(
        "1-..1-..5-..7-..",
        "....1-3-5---..3-",
        "1--1--5-....5-8-",
        "1-1-....3-3-5-..",
        "1-....5.1-..3-5-....1-1-..7-5---",
    ),
    comps=(
        ("clean guitar", "skank"),
        ("drawbar organ", "bubble"),
        ("honky-tonk piano", "skank"),
        ("muted guitar", "skank"),
        ("steel guitar", "skank"),
        ("percussive organ", "bubble"),
    ),
    seconds=(
        ("percussive organ", "bubble"),
        ("brass section", "riff"),
        ("reed organ", "hold"),
        ("grand piano", "skank"),
        ("synth strings", "hold"),
    ),
    textures={
        "skank": ("....x.......x...", "..x...x...x...x.", "....x.o.....x.o.", "..xo..x...xo..x."),
        "bubble": ("..o.x.o...o.x.o.", ".oo.xoo..oo.xoo.", "..x.o.x...x.o.x."),
        "riff": ("X-x-..........x-", "......x-x-x---..", "x-......x-X---.................."),
        "hold": ("x---------------",),
    },
    leads=(
        "harmonica",
        "trombone",
        "tenor saxophone",
        "rock organ",
        "trumpet",
        "voice oohs",
        "clean guitar",
        "reed organ",
        "steel drums",
    ),
    rhythms={
        "sparse": ("x---..x---......", "....x---x-------", "x-----....x-x---"),
        "medium": ("x-x-x---..x-x---", "..x-x-x-x---....", "x--x--x---x-x---"),
        "dense": ("x-xxx-x-..xxx-x-", "x-x-xxx-x-x-x---", "..x-xxx-x-xxx-x-"),
    },
    progressions={
        "bright": (
            ("major", "I | IV | I | V"),
            ("major pentatonic", "I | vi | IV | V"),
            ("mixolydian", "I | bVII | I | bVII"),
        ),
        "dark": (
            ("minor", "i | iv | i | v"),
            ("minor pentatonic", "i | bVII | i | bVII"),
            ("minor", "i | bVI | bVII | i"),
        ),
        "floating": (
            ("major", "Imaj7 | IVmaj7 | Imaj7 | IVmaj7"),
            ("major", "ii9 | iii7 | ii9 | IVmaj7"),
        ),
        "tense": (
            ("phrygian", "i | bII | i | bII"),
            ("harmonic minor", "i | V7 | i | bVI V7"),
            ("phrygian", "i | i | bvii | bII"),
        ),
    },
    forms=("two strains", "build", "break", "groove", "drop"),
    sound=Sound(
        low_db=5,
        high_db=-3,
        drums_db=7,
        room_s=(0.6, 2.2),
        wet=(0.1, 0.4),
        saturation=(0.5, 1.5),
    ),
)
