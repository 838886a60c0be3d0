"""Whether texts are in a language that the anchor does not know, as far as its tokens and the words themselves tell.

Rare English names are split like German ones ('axolotl', 'Katze'), so split words alone prove nothing. What counts are scripts
of which the tokens hold but single letters; and, where many words are split, letters that English lacks or the usual words of
other languages.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from unicodedata import normalize

from textanchor.encoders import Tokenizing

SCRIPT, ACCENTED, SMALL, SPLIT = 0.2, 0.08, 0.08, 0.2  # shares of words
FEWEST = 5  # words from which accents are judged
PROBE = ("человек", "работа", "собака")  # whose tokens hold words of other scripts, is multilingual
ENGLISH = frozenset(("the", "of", "and", "to", "with", "at", "by", "from", "their", "are", "it"))
USUAL: Mapping[str, str] = {  # small words and everyday things
    "German": "der das und ein eine einen einem ist im mit auf nicht von zu hund katze vogel pferd haus baum fisch frau mann",
    "French": "le les des un une et dans du sur est avec aux qui chien oiseau cheval arbre voiture poisson femme homme enfant",
    "Spanish": "el los las una con por para del y en su junto perro gato caballo casa coche pez mujer hombre",
    "Italian": "il gli una di che nel della sul un con su per gatto uccello cavallo casa albero macchina pesce donna uomo",
    "Portuguese": "um uma os em com na dos da de ao cachorro gato cavalo casa carro peixe mulher homem",
    "Dutch": "een het van op en met naast zijn wordt hond kat vogel paard huis vrouw",
    "Swedish": "en ett och med av som hund katt hus bil fisk kvinna",
    "Polish": "na w z i jest nie obok przez ptak kobieta dom drzewo samochód",
    "Indonesian": "yang dan di dengan seorang sebuah sedang pada anjing kucing burung kuda rumah pohon mobil ikan",
}
_WORD = re.compile(r"\w[\w'’-]*")


def foreign(texts: Sequence[str], anchor: Tokenizing) -> str:
    """Why the anchor is not at home in the texts, as the beginning of a sentence; "" if nothing says so."""
    words = [
        word for text in texts for word in _WORD.findall(normalize("NFC", text)) if any(letter.isalpha() for letter in word)
    ]
    if not words:
        return ""
    distinct = list(dict.fromkeys(words))
    pieces = dict(zip(distinct, anchor.pieces([f" {word}" for word in distinct]), strict=True))
    if strange := [word for word in words if _other_script(word) and _lettered(word, pieces[word])]:
        share = len(strange) / len(words)
        if share >= SCRIPT:
            return (
                f"{share:.0%} of the words, such as {_some(strange)}, are unknown to the anchor or broken into single letters"
            )
    split = [word for word in words if len(pieces[word]) > 1]
    share = len(split) / len(words)
    if share < SPLIT or _multilingual(anchor):
        return ""
    accented, several = [word for word in words if _accented(word)], sum(map(_accented, texts)) > 1
    told = f"the anchor splits {share:.0%} of the words"
    if len(words) >= FEWEST and several and len(accented) >= ACCENTED * len(words):
        return f"{told}, and {len(accented) / len(words):.0%} have letters that English lacks, such as {_some(accented)}"
    if language := _language(words):
        return f"{told}, and they look {language}"
    return ""


def _language(words: Sequence[str]) -> str:
    """The language most of whose usual words are among these, if there are enough of them, and more than English ones."""
    uses = Counter(word.lower() for word in words)
    found = {}
    for language, usual in USUAL.items():
        held = [uses[word] for word in usual.split() if uses[word]]
        if len(held) > 1:
            found[language] = sum(held)
    best = max(found, key=lambda language: found[language], default="")
    enough = max(SMALL * len(words), 2 * sum(uses[word] for word in ENGLISH) + 1)
    return best if best and found[best] >= enough else ""


def _other_script(word: str) -> bool:
    return any(letter.isalpha() and "LATIN" not in unicodedata.name(letter, "") for letter in word)


def _lettered(word: str, pieces: Sequence[str]) -> bool:
    """Whether a word is unknown, or in pieces of hardly more than a letter each; an ideograph is a word and may only be the
    former."""
    if "" in pieces:
        return True
    letters = sum(letter.isalpha() for letter in word)
    ideographs = any(unicodedata.name(letter, "").startswith("CJK") for letter in word)
    return not ideographs and letters > 1 and len(pieces) >= 0.6 * letters


def _accented(text: str) -> bool:
    letters = (letter for letter in normalize("NFC", text) if letter.isalpha() and not letter.isascii())
    return any("LATIN" in unicodedata.name(letter, "") for letter in letters)


def _multilingual(anchor: Tokenizing) -> bool:
    held = anchor.pieces([f" {word}" for word in PROBE])
    return all("" not in pieces and len(pieces) <= len(word) // 2 for word, pieces in zip(PROBE, held, strict=True))


def _some(words: Sequence[str]) -> str:
    return ", ".join(f"'{word[:30]}'" for word in list(dict.fromkeys(words))[:3])
