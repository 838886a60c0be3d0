"""Molecules as SMILES strings: a reader and an encoder that textanchor finds through this package's entry points."""

import hashlib
import re

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

ALPHABET = re.compile(r"[A-Za-z0-9@+\-\[\]()=#$:/\\.%*~]+")


class MoleculeReader:
    """A file `.smi` holds one SMILES string, and after white space perhaps a name."""

    modality = "molecule"
    extensions = (".smi", ".smiles")
    default_encoder = "molecule-ngrams"

    def read(self, stream, limits):
        """The string of a file; at most 100 kB are looked at."""
        return self.accept(stream.read(100_000).decode("ascii", "replace"))

    def accept(self, value):
        """The string, if it can be one."""
        words = value.split() if isinstance(value, str) else []
        if not words or not ALPHABET.fullmatch(words[0]):
            raise ValueError(f"not a SMILES string: {str(value)[:40]!r}")
        return words[0]

    def content(self, value):
        """What is hashed."""
        return value.encode()


class Ngrams:
    """Counts of all runs of one to three characters, hashed into 512 numbers."""

    modality, name, dim = "molecule", "molecule-ngrams", 512
    fingerprint = hashlib.sha256(b"molecule-ngrams 1 512").hexdigest()

    def __init__(self):
        self._count = HashingVectorizer(
            analyzer="char", ngram_range=(1, 3), n_features=self.dim, lowercase=False, norm=None, alternate_sign=False
        )

    def encode(self, batch):
        """*Shape:* [n, 512]."""
        return np.log1p(self._count.transform(batch).toarray()).astype(np.float32)


def make(argument, *, modality, runtime):
    """`molecule-ngrams`, without options."""
    return Ngrams()
