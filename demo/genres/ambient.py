"""Ambient: slow surfaces over a drone; where there is a pulse, sequences carry it."""

from style import Sound, Style

STYLE = Style(
    name="ambient",
    tempos={"slow": (60, 84), "medium": (92, 116), "fast": (126, 144)},
    swings=(0.5,),
    swing_unit=0.25,
    kits=("electronic kit", "analogue kit", "brush kit"),
    grooves=(
        {"kick": "o...............", "shaker": "..o...o...o...o."},
        {"kick": "o.......o.......", "hat": "....o.......o.o."},
        {"triangle": "o...............", "low tom": "o.........o....."},
        {"kick": "x.....o...o.....", "side": "........o.......", "hat": "o.o.o.o.o.o.o.o."},
        {"kick": "o...o...o...o...", "cabasa": "..o...o...o...oo"},
    ),
    fills=({"shaker": "o.o.o.oo"}, {"triangle": "o..o..o."}, {"low tom": "o..o..o."}),
    basses=("deep synth bass", "fretless bass", "contrabass", "bowed cello bass"),
    bass_lines=("1---------------", "1-------5-------", "1---------------8---------------"),
    comps=(
        ("warm pad", "hold"),
        ("atmosphere synth", "slow arpeggio"),
        ("harp", "arpeggio"),
        ("grand piano", "slow arpeggio"),
        ("tine piano", "arpeggio"),
        ("kalimba", "arpeggio"),
        ("poly synth", "sequence"),
        ("nylon guitar", "slow arpeggio"),
    ),
    seconds=(
        ("bowed pad", "hold"),
        ("slow strings", "hold"),
        ("choir pad", "hold"),
        ("halo pad", "hold"),
        ("new age pad", "hold"),
        ("choir", "hold"),
    ),
    textures={
        "hold": ("x---------------", "x-----------------------p-------"),
        "slow arpeggio": ("1---3---4---5---", "1---2---3---2---", "1-----4---3-----"),
        "arpeggio": ("1.2.3.4.5.4.3.2.", "1.3.2.4.3.5.4.3.", "1.4.3.5.4.3.2.3."),
        "sequence": ("1.34.3514.35.314", "1324135213241354"),
    },
    leads=(
        "celesta",
        "pan flute",
        "voice oohs",
        "grand piano",
        "crystal synth",
        "vibraphone",
        "french horn",
        "music box",
        "calliope lead",
        "choir",
    ),
    rhythms={
        "sparse": ("x---------------", "....x-----------", "x-------x-------"),
        "medium": ("x-----x---x-----", "..x---x---------", "x---x---x-------"),
        "dense": ("x-x---x-x---x---", "x---x-x-x---x-x-", "..x-x-x---x-x-x-"),
    },
    progressions={
        "bright": (
            ("major pentatonic", "Iadd9 | IVmaj7 | Iadd9 | IVmaj7"),
            ("major", "Iadd9 | Vsus4 | IVadd9 | Iadd9"),
        ),
        "dark": (
            ("minor", "iadd9 | bVImaj7 | iadd9 | bVImaj7"),
            ("dorian", "i9 | v7 | bVImaj7 | i9"),
        ),
        "floating": (
            ("lydian", "Imaj9 | II | Imaj9 | II"),
            ("lydian", "Imaj9 | bIIImaj7 | bVImaj7 | Imaj9"),
            ("major", "IVmaj9 | Isus2 | IVmaj9 | vi9"),
        ),
        "tense": (
            ("phrygian", "i | bIImaj7 | i | bIImaj7"),
            ("harmonic minor", "imaj7 | bVIaug | idim7 | imaj7"),
            ("phrygian", "idim | bII | idim | bvi"),
        ),
    },
    forms=("duet", "introduction", "drop", "two strains", "break"),
    sound=Sound(
        low_db=2,
        high_db=-4,
        drums_db=1,
        room_s=(1.8, 3.5),
        wet=(0.35, 0.7),
        saturation=(0.2, 0.6),
    ),
)
