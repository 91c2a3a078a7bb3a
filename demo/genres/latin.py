"""Latin: bossa nova, samba and son; claves, anticipated basses, montunos."""

from style import Sound, Style

STYLE = Style(
    name="latin",
    tempos={"slow": (66, 88), "medium": (92, 122), "fast": (126, 176)},
    swings=(0.5,),
    swing_unit=0.25,
    kits=("standard kit", "brush kit", "jazz kit"),
    grooves=(
        {"kick": "X..ox..oX..ox..o", "side": "x..x..x...x..x..", "hat": "XoxoXoxoXoxoXoxo"},
        {
            "claves": "x.....x.....x.......x...x.......",
            "high conga": "......xx......xx......xx......xx",
            "mute conga": "x.o.x...x.o.x...x.o.x...x.o.x...",
            "cabasa": "XoxoXoxoXoxoXoxoXoxoXoxoXoxoXoxo",
        },
        {
            "kick": "X..ox..oX..ox..o",
            "shaker": "XoxoXoxoXoxoXoxo",
            "side": "..x..x....x.x...",
            "pedal": "....x.......x...",
        },
        {
            "low conga": "......x.......xx",
            "high conga": "....x.......x...",
            "cowbell": "x...x.x.x...x.x.",
            "timbale": "......o.......?.",
            "kick": "......x......x..",
        },
        {
            "kick": "x.....x.x.....x.",
            "high bongo": "Xox.XoxxXox.Xoxx",
            "low bongo": "......x.......x.",
            "claves": "x..x..x...x.x...",
        },
    ),
    fills=(
        {"timbale": "X.xX.xxx", "cowbell": "x......."},
        {"high conga": "xx.xx...", "low conga": ".....xxx"},
        {"high bongo": "x.xx.xx.", "low bongo": ".x..x..x"},
    ),
    basses=("double bass", "finger bass", "fretless bass"),
    bass_lines=(
        "1-----5-1-----5-",
        "......5-----n---",
        "1-----5-----n---",
        "1--15-..5--51-..",
        "1-----5-8-----a-",
    ),
    comps=(
        ("nylon guitar", "bossa"),
        ("grand piano", "montuno"),
        ("tine piano", "bossa"),
        ("steel guitar", "bossa"),
        ("marimba", "montuno"),
        ("accordion", "bossa"),
    ),
    seconds=(
        ("strings", "hold"),
        ("brass section", "riff"),
        ("vibraphone", "hold"),
        ("nylon guitar", "bossa"),
        ("voice oohs", "hold"),
        ("flute", "line"),
    ),
    textures={
        "bossa": ("x-.x-.x-..x-.x-.", "x..x..x...x..x..", "..x-.x-.x-..x.p-"),
        "montuno": ("x.31x.2.x.31.x.4", "1.x.3x.2x.3.x.31", "x..x4.x.3x..x.4."),
        "hold": ("x---------------", "x-------------p-"),
        "riff": ("..X-..x.........", "......x.x.X---..", "X.x.......x-X-.."),
        "line": ("1-------2---3---", "3-----2---------"),
    },
    leads=(
        "flute",
        "nylon guitar",
        "trumpet",
        "tenor saxophone",
        "voice oohs",
        "accordion",
        "grand piano",
        "vibraphone",
        "trombone",
        "steel drums",
    ),
    rhythms={
        "sparse": ("x-------....x---", "..x-----x-------", "x-----x---------"),
        "medium": ("x--x--x---x--x--", "..x--x--x---x---", "x-x--x--..x-x---"),
        "dense": ("x-xx-xx-x-xx-xx-", "xx.xx.xxx-x-xx--", "..x-xxx-xx.xx-x-"),
    },
    progressions={
        "bright": (
            ("major", "Imaj7 | II7 | ii7 | V7"),
            ("major", "I6 | VI7 | ii7 | V7"),
            ("mixolydian", "I | IV | V | IV"),
        ),
        "dark": (
            ("minor", "i7 | iv7 | V7b9 | i7"),
            ("harmonic minor", "i | iv | V7 | i"),
            ("minor", "i6 | bVII | bVI | V7"),
        ),
        "floating": (
            ("lydian", "Imaj9 | bIImaj7 | Imaj9 | bIImaj7"),
            ("major", "IVmaj9 | bVII9 | Imaj9 | VI7b9"),
            ("dorian", "i9 | IV13 | i9 | IV13"),
        ),
        "tense": (
            ("phrygian", "i | bII | i | bII"),
            ("harmonic minor", "i | V7b9 | i | bII7"),
            ("phrygian", "I | bII | bIII | bII"),
        ),
    },
    forms=("two strains", "introduction", "duet", "build", "groove"),
    sound=Sound(
        low_db=-1,
        high_db=1,
        drums_db=8,
        room_s=(0.4, 1.2),
        wet=(0.1, 0.3),
        saturation=(0.3, 1.0),
    ),
)
