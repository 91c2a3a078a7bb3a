"""Rock: eighths on the guitar, the snare on two and four."""

from style import Sound, Style

STYLE = Style(
    name="rock",
    tempos={"slow": (66, 88), "medium": (96, 122), "fast": (132, 168)},
    swings=(0.5, 0.5, 0.5, 0.58),
    swing_unit=0.5,
    kits=("power kit", "room kit", "standard kit"),
    grooves=(
        {"kick": "x.....x.x.......", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x.......x.x.....", "snare": "....X.......X...", "hat": "X.x.X.x.X.x.X.x."},
        {"kick": "x..x..x...x..x..", "snare": "....X..o....X...", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x...x...x...x...", "snare": "....X.......X..?", "ride": "x.x.x.x.x.x.x.x."},
        {"kick": "x.....x...x.....", "snare": "........X.......", "crash": "x...x...x...x..."},
        {"kick": "x.x...x.x.x...x.", "snare": "....X.......X...", "open": "x...x...x...x..."},
        {"kick": "x.....x.x.....x.", "low tom": "x.xxx.x.x.xxx.x.", "snare": "....X.......X..."},
    ),
    fills=(
        {"snare": "X.xxx.xx", "kick": "x...x..."},
        {"snare": "xx......", "high tom": "..xx....", "mid tom": "....xx..", "low tom": "......xx"},
        {"snare": "X..X..X.", "kick": ".xx.xx.x"},
    ),
    basses=("picked bass", "finger bass"),
    bass_lines=(
        "1.1.1.1.1.1.1.1.",
        "1.....1.1...5.a.",
        "1-----1-1---5-7-",
        "1...1.1.1...1.8.",
        "1.1.1.1.5.5.7.a.",
    ),
    comps=(
        ("distorted guitar", "power"),
        ("overdriven guitar", "power"),
        ("clean guitar", "arpeggio"),
        ("steel guitar", "strum"),
        ("overdriven guitar", "chop"),
        ("rock organ", "hold"),
    ),
    seconds=(
        ("rock organ", "hold"),
        ("strings", "hold"),
        ("bright piano", "eighths"),
        ("muted guitar", "chug"),
        ("clean guitar", "arpeggio"),
    ),
    textures={
        "power": (
            "x.x.x.x.x.x.x.x.",
            "X-----x-x-------",
            "X-.x-.x-X-.x-.x-",
            "X.x.x.X.x.x.X.x.X---------x.x.x.",
        ),
        "strum": ("d---d-u---u-d-u-", "d-d-d-u-d-d-d-u-"),
        "arpeggio": ("1.3.4.3.2.3.4.3.", "1.2.3.4.3.2.3.2."),
        "chop": ("X...x-..x...X-..", "..X...X...X...X-"),
        "hold": ("x---------------", "x-------x-------"),
        "eighths": ("x.x.x.x.x.x.x.x.", "X..x..x.X..x..x."),
        "chug": ("x.xxx.xxx.xxx.xx", "x.x.x.x.x.x.x.x."),
    },
    leads=(
        "overdriven guitar",
        "distorted guitar",
        "rock organ",
        "overdriven guitar",
        "clean guitar",
        "distorted guitar",
        "saw lead",
        "bright piano",
    ),
    rhythms={
        "sparse": ("x-------x-------", "x---x-----------", "..x---x---------"),
        "medium": ("x---x-x---x-x---", "..x-x-x-x-------", "x--x--x-x---x---"),
        "dense": ("x-x-x-x-x-x-x-x-", "x-xxx-x-x-x-xxx-", "..xxx-x-xxx-x-x-"),
    },
    progressions={
        "bright": (
            ("major pentatonic", "I | V | vi | IV"),
            ("mixolydian", "I | bVII | IV | I"),
            ("major", "I | IV | V | IV"),
        ),
        "dark": (
            ("minor pentatonic", "i | bVI | bIII | bVII"),
            ("minor", "i | bVII | bVI | bVII"),
            ("minor pentatonic", "i | iv | bVI | v"),
        ),
        "floating": (
            ("lydian", "Iadd9 | II | Iadd9 | II"),
            ("major", "IVmaj7 | Iadd9 | IVmaj7 | Iadd9"),
        ),
        "tense": (
            ("phrygian", "i | bII | i | bII"),
            ("harmonic minor", "i | bVI V | i | V"),
            ("phrygian", "i bII | i bV | i bII | bIII bII"),
        ),
    },
    forms=("two strains", "introduction", "build", "break", "groove"),
    sound=Sound(
        low_db=1,
        high_db=2,
        drums_db=8,
        room_s=(0.5, 1.4),
        wet=(0.1, 0.3),
        saturation=(1.5, 4.0),
    ),
)
