"""The General MIDI instruments that the scores use, their ranges and their plain names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Instrument:
    """A General MIDI program as a player knows it.

    Attributes
    ----------
    program : int
        General MIDI program, 0 to 127.
    word : str
        What a listener calls it; the value in the ``instrument`` column.
    low, high : int
        Comfortable range, MIDI note numbers.
    """

    program: int
    word: str
    low: int
    high: int

    @property
    def sings(self):
        """Whether a player can shape a note after its start, and so give it vibrato."""
        is_bowed_or_sung = 40 <= self.program <= 43 or 52 <= self.program <= 54
        is_blown_or_lead_synth = 56 <= self.program <= 82
        return is_bowed_or_sung or is_blown_or_lead_synth or self.program in (22, 29, 30, 110)


INSTRUMENTS = {
    "grand piano": Instrument(0, "piano", 45, 93),
    "bright piano": Instrument(1, "piano", 45, 93),
    "honky-tonk piano": Instrument(3, "piano", 48, 88),
    "tine piano": Instrument(4, "electric piano", 45, 86),
    "fm piano": Instrument(5, "electric piano", 48, 88),
    "harpsichord": Instrument(6, "harpsichord", 48, 86),
    "clavinet": Instrument(7, "clavinet", 43, 79),
    "celesta": Instrument(8, "celesta", 60, 98),
    "glockenspiel": Instrument(9, "glockenspiel", 72, 100),
    "music box": Instrument(10, "music box", 65, 96),
    "vibraphone": Instrument(11, "vibraphone", 53, 86),
    "marimba": Instrument(12, "marimba", 48, 86),
    "drawbar organ": Instrument(16, "organ", 45, 84),
    "percussive organ": Instrument(17, "organ", 45, 84),
    "rock organ": Instrument(18, "organ", 45, 81),
    "church organ": Instrument(19, "organ", 45, 84),
    "reed organ": Instrument(20, "organ", 48, 81),
    "accordion": Instrument(21, "accordion", 53, 86),
    "harmonica": Instrument(22, "harmonica", 60, 86),
    "nylon guitar": Instrument(24, "acoustic guitar", 43, 79),
    "steel guitar": Instrument(25, "acoustic guitar", 43, 81),
    "jazz guitar": Instrument(26, "electric guitar", 43, 79),
    "clean guitar": Instrument(27, "electric guitar", 43, 81),
    "muted guitar": Instrument(28, "electric guitar", 43, 76),
    "overdriven guitar": Instrument(29, "electric guitar", 40, 83),
    "distorted guitar": Instrument(30, "electric guitar", 40, 83),
    "double bass": Instrument(32, "double bass", 28, 52),
    "finger bass": Instrument(33, "bass guitar", 28, 52),
    "picked bass": Instrument(34, "bass guitar", 28, 52),
    "fretless bass": Instrument(35, "bass guitar", 28, 52),
    "slap bass": Instrument(36, "bass guitar", 28, 52),
    "synth bass": Instrument(38, "synthesizer", 28, 52),
    "deep synth bass": Instrument(39, "synthesizer", 28, 52),
    "violin": Instrument(40, "violin", 57, 93),
    "viola": Instrument(41, "viola", 50, 81),
    "cello": Instrument(42, "cello", 38, 69),
    "contrabass": Instrument(43, "double bass", 28, 52),
    "bowed cello bass": Instrument(42, "cello", 36, 57),
    "tremolo strings": Instrument(44, "strings", 48, 88),
    "pizzicato strings": Instrument(45, "strings", 45, 86),
    "harp": Instrument(46, "harp", 45, 91),
    "strings": Instrument(48, "strings", 48, 88),
    "slow strings": Instrument(49, "strings", 48, 88),
    "synth strings": Instrument(50, "synthesizer", 48, 88),
    "choir": Instrument(52, "voice", 50, 79),
    "voice oohs": Instrument(53, "voice", 53, 79),
    "synth voice": Instrument(54, "voice", 50, 81),
    "trumpet": Instrument(56, "trumpet", 57, 84),
    "trombone": Instrument(57, "trombone", 45, 70),
    "muted trumpet": Instrument(59, "trumpet", 57, 82),
    "french horn": Instrument(60, "horn", 45, 74),
    "brass section": Instrument(61, "brass", 50, 79),
    "synth brass": Instrument(62, "synthesizer", 48, 81),
    "soprano saxophone": Instrument(64, "saxophone", 58, 84),
    "alto saxophone": Instrument(65, "saxophone", 52, 80),
    "tenor saxophone": Instrument(66, "saxophone", 46, 75),
    "baritone saxophone": Instrument(67, "saxophone", 38, 66),
    "oboe": Instrument(68, "oboe", 60, 88),
    "bassoon": Instrument(70, "bassoon", 38, 67),
    "clarinet": Instrument(71, "clarinet", 52, 86),
    "flute": Instrument(73, "flute", 62, 93),
    "recorder": Instrument(74, "flute", 65, 91),
    "pan flute": Instrument(75, "flute", 60, 88),
    "tin whistle": Instrument(78, "flute", 67, 91),
    "square lead": Instrument(80, "synthesizer", 50, 84),
    "saw lead": Instrument(81, "synthesizer", 48, 84),
    "calliope lead": Instrument(82, "synthesizer", 55, 88),
    "new age pad": Instrument(88, "synthesizer", 48, 86),
    "warm pad": Instrument(89, "synthesizer", 45, 84),
    "poly synth": Instrument(90, "synthesizer", 45, 86),
    "choir pad": Instrument(91, "voice", 48, 84),
    "bowed pad": Instrument(92, "synthesizer", 45, 84),
    "halo pad": Instrument(94, "synthesizer", 45, 84),
    "sweep pad": Instrument(95, "synthesizer", 45, 84),
    "crystal synth": Instrument(98, "synthesizer", 60, 96),
    "atmosphere synth": Instrument(99, "synthesizer", 48, 86),
    "banjo": Instrument(105, "banjo", 50, 81),
    "kalimba": Instrument(108, "kalimba", 55, 88),
    "fiddle": Instrument(110, "violin", 57, 90),
    "steel drums": Instrument(114, "steel drums", 55, 86),
}

KITS = {
    "standard kit": 0,
    "room kit": 8,
    "power kit": 16,
    "electronic kit": 24,
    "analogue kit": 25,
    "jazz kit": 32,
    "brush kit": 40,
}

DRUMS = {
    "kick": 36,
    "side": 37,
    "snare": 38,
    "clap": 39,
    "hat": 42,
    "pedal": 44,
    "open": 46,
    "low tom": 45,
    "mid tom": 47,
    "high tom": 50,
    "crash": 49,
    "ride": 51,
    "bell": 53,
    "tambourine": 54,
    "cowbell": 56,
    "high bongo": 60,
    "low bongo": 61,
    "mute conga": 62,
    "high conga": 63,
    "low conga": 64,
    "timbale": 65,
    "cabasa": 69,
    "shaker": 70,
    "claves": 75,
    "wood block": 76,
    "triangle": 81,
}
