"""Jazz: swung eighths, walking bass, two-five-ones."""

from style import Sound, Style

STYLE = Style(
    name="jazz",
    tempos={"slow": (62, 86), "medium": (98, 122), "fast": (132, 190)},
    swings=(0.62, 0.66, 0.66, 0.68),
    swing_unit=0.5,
    kits=("jazz kit", "brush kit", "jazz kit"),
    grooves=(
        {
            "ride": "x...x.x.x...x.x.",
            "pedal": "....x.......x...",
            "kick": "o.......o.......",
            "snare": "......?.......?.",
        },
        {
            "ride": "x...x.x.x...x.x.",
            "pedal": "....x.......x...",
            "kick": "......o.......?.",
            "snare": "......o...?...o.",
        },
        {"hat": "x...x.x.x...x.x.", "kick": "o...o...o...o...", "snare": "....o.......o.?."},
        {
            "ride": "x.x.x.x.x.x.x.x.",
            "side": "....x.........x.",
            "kick": "x.....x.x.....x.",
            "pedal": "....x.......x...",
        },
        {
            "ride": "x...x.x.x.x.",
            "pedal": "....x...x...",
            "kick": "o...........",
            "snare": "......?...o.",
        },
        {"hat": "x...x.x.x.x.", "kick": "x.........o.", "snare": "....o...o..."},
    ),
    fills=(
        {"snare": "x.xx.xx.", "kick": "......x."},
        {"snare": "..x.x...", "high tom": ".....x..", "low tom": "......x."},
        {"ride": "x...x.x.", "snare": "x.o.x.x.", "kick": "..x...x."},
    ),
    basses=("double bass", "double bass", "fretless bass"),
    bass_lines=("walk", "walk", "1-------5-----a-", "1---5---5-a-", "1-------5-a-"),
    comps=(
        ("grand piano", "charleston"),
        ("jazz guitar", "four"),
        ("tine piano", "charleston"),
        ("drawbar organ", "hold"),
        ("vibraphone", "charleston"),
    ),
    seconds=(
        ("jazz guitar", "four"),
        ("brass section", "riff"),
        ("vibraphone", "hold"),
        ("grand piano", "riff"),
        ("drawbar organ", "hold"),
    ),
    textures={
        "charleston": (
            "x-....x-........",
            "..x-......x-....",
            "x-....x-....p-......x-....x---..",
            "....x-........p-",
            "x-....x-....",
            "..x-......p-",
        ),
        "four": ("o.x.o.x.o.x.o.x.", "x-..X-..x-..X-..", "x...o-..o-..", "x-..x-..x-.."),
        "hold": ("x---------------", "x-----------p---", "x-----------"),
        "riff": ("......X-......x.", "X-....X.........", "......x-..X."),
    },
    leads=(
        "tenor saxophone",
        "muted trumpet",
        "alto saxophone",
        "vibraphone",
        "grand piano",
        "jazz guitar",
        "clarinet",
        "flute",
        "trombone",
    ),
    rhythms={
        "sparse": (
            "x-------x-x-----",
            "..x-----x-------",
            "......x-x-------",
            "x-------x---",
            "..x-x-------",
        ),
        "medium": (
            "x-x-x---x-x-x---",
            "..x-x-x---x-x---",
            "x---x-x---x-x---",
            "x-x-x---x---",
            "..x-x-x-x---",
        ),
        "dense": (
            "x-x-x-x-x-x-x-x-",
            "..x-x-x-x-x-x-x-",
            "x-xxx-x-x-x-x-x-",
            "x-x-x-x-x-x-",
            "..x-x-x-x-x-",
        ),
    },
    progressions={
        "bright": (
            ("major", "Imaj7 vi7 | ii7 V7 | iii7 VI7 | ii7 V7"),
            ("blues", "I7 | IV7 | I7 | V9 IV9"),
            ("major", "ii9 | V13 | Imaj9 | VI7b9"),
        ),
        "dark": (
            ("minor", "i7 | iv7 | ii7b5 V7b9 | i6"),
            ("dorian", "i9 | i9 | iv9 | i9"),
            ("harmonic minor", "ii7b5 | V7b9 | imaj7 | i6"),
        ),
        "floating": (
            ("lydian", "Imaj9 | bIIImaj7 | Imaj9 | bIImaj7"),
            ("dorian", "i9 | IV13 | i9 | IV13"),
            ("major", "IVmaj9 | iii7 | IVmaj9 | Imaj9"),
        ),
        "tense": (
            ("harmonic minor", "i6 | bII7 | i6 | V7#9"),
            ("phrygian", "i7b5 | bIImaj7 | i7b5 | V7b9"),
            ("harmonic minor", "idim7 | V7b9 | iv6 | V7#9"),
        ),
    },
    forms=("two strains", "introduction", "break", "duet", "groove"),
    sound=Sound(
        low_db=0,
        high_db=-2,
        drums_db=6,
        room_s=(0.4, 1.0),
        wet=(0.1, 0.25),
        saturation=(0.2, 0.7),
    ),
)
