"""Synthetic speech by libespeak-ng through ctypes; the library comes with the package espeakng-loader (GPL-3.0-or-later).

The library keeps one voice and hidden state for the whole process, so a batch is spoken by a process of its own: the same
list then gives the same bytes. `python -m textanchor.data.samples.speech` is that process; it reads the list from stdin.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from jaxtyping import Int16

from textanchor.errors import MissingError

_SYNCHRONOUS, _UTF8, _BY_CHARACTER = 2, 1, 1
_RATE, _PITCH = 1, 3
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_ODD = {"AnxiousAndy", "Tweaky", "UniRobot", "anikaRobot", "croak", *(f"robosoft{n}" for n in ("", *range(2, 9)))}
_BREATHY = {"Alicia", "Demonic", "f2", "f3", "f5", "sandro", "victor", "whisper", "whisperf"}  # noise that no seed fixes
_INSTALL = (
    'spoken digits need espeak-ng (GPL-3.0-or-later); get it with: pip install "textanchor[demo]" '
    "(or just its package: pip install espeakng-loader)"
)


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """One sound file to be spoken: `voice` is a language and a variant ("en-us+f1"), `pitch` 0 to 99, `pace` words a minute."""

    file: str
    text: str
    voice: str
    pitch: int
    pace: int


def voices() -> list[str]:
    """Variants that sound like people and always the same, sorted. Raises `MissingError` with the command that helps."""
    if find_spec("espeakng_loader") is None:
        raise MissingError(_INSTALL)
    import espeakng_loader

    found = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    return sorted(path.name for path in found.iterdir() if path.is_file() and path.name not in _ODD | _BREATHY)


def speak(folder: Path, utterances: Sequence[Utterance]) -> None:
    """Write each utterance as a 16-bit mono WAV file at the library's rate. Raises `MissingError` if that fails."""
    voices()
    job = json.dumps({"folder": str(folder), "utterances": [asdict(one) for one in utterances]})
    done = subprocess.run(
        [sys.executable, "-m", "textanchor.data.samples.speech"], input=job, text=True, capture_output=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise MissingError(f"espeak-ng failed: {last}; reinstall it: pip install --force-reinstall espeakng-loader")


class _Speaker:
    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._parts: list[np.ndarray] = []
        self._callback = _CALLBACK(self._receive)
        data = espeakng_loader.get_data_path().encode()
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0))
        if self.rate <= 0:
            raise RuntimeError(f"espeak_Initialize returned {self.rate}")
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, one: Utterance) -> Int16[np.ndarray, " t"]:
        if self._library.espeak_SetVoiceByName(one.voice.encode()) != 0:
            raise RuntimeError(f"no voice '{one.voice}'")
        self._library.espeak_SetParameter(_RATE, one.pace, 0)
        self._library.espeak_SetParameter(_PITCH, one.pitch, 0)
        self._parts = []
        raw = one.text.encode() + b"\0"
        self._library.espeak_Synth(raw, len(raw), 0, _BY_CHARACTER, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        if not self._parts:
            raise RuntimeError(f"'{one.voice}' said nothing for '{one.text}'")
        return np.concatenate(self._parts)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if count > 0 and samples:
            self._parts.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0


def _main() -> None:
    job = json.loads(sys.stdin.read())
    speaker = _Speaker()
    for told in job["utterances"]:
        one = Utterance(**told)
        place = Path(job["folder"]) / one.file
        place.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(place, speaker.say(one), speaker.rate, subtype="PCM_16")


if __name__ == "__main__":
    _main()
