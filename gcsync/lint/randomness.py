"""Whether a text holds a word that was drawn at random, as keys and tokens are.

A random word is long, mixes letters with digits, has a high entropy a
character (Shannon) and changes its kind of character all the time: where a
word that people make up goes on for five or six characters, a random one goes
on for two or three. UUIDs are random too, but name things rather than open
them.
"""

from __future__ import annotations

import re
from collections import Counter
from math import log2

LEAST_LENGTH = 20
"""What is shorter is a word, a number or a code too often."""

# Hexadecimal digits at random have 3.5 bits each in 20 characters, and no more than 4 in any.
LEAST_ENTROPY_BITS = 3.0
# At random, a run of one kind has 2.1 characters in hexadecimal, 2.3 in base64, 3.2 in base32.
LONGEST_RUN = 3.3

_WORD = re.compile(rf"[A-Za-z0-9]{{{LEAST_LENGTH},}}")
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_UUID = re.compile(r"(?i)[0-9a-f]{12}[147][0-9a-f]{3}[89ab][0-9a-f]{15}")


def is_random(word: str) -> bool:
    """Whether a word of letters and digits looks drawn at random."""
    if word.isalpha() or word.isdigit() or _UUID.fullmatch(word):
        return False
    runs = sum(1 for _ in _RUN.finditer(word))
    return len(word) < runs * LONGEST_RUN and entropy_bits(word) >= LEAST_ENTROPY_BITS


def holds_random_word(text: str) -> bool:
    """Whether any word of *text* is long and looks drawn at random."""
    return len(text) >= LEAST_LENGTH and any(map(is_random, _WORD.findall(text)))


def entropy_bits(word: str) -> float:
    """Shannon's entropy of the characters of *word*, in bits a character."""
    size = len(word)
    return sum(count / size * log2(size / count) for count in Counter(word).values())
