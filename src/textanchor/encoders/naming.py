"""An encoder's name: `scheme:argument@key=value,...`, and behind a `+` the encoder that it wraps.

Values are text; one with a comma, a double quote, `@` or white space at an end stands in double quotes. So does an argument
that would read as something else.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from textanchor import registry
from textanchor.errors import InputError
from textanchor.files import located
from textanchor.grammar import QUOTED, Call, Value, quoted, unquoted

_KEY = r'\s*[^\s=,@+":]+\s*'
_LAST = rf'{_KEY}=(?:\s*{QUOTED}\s*|[^,@"]*)'  # an option of the last encoder of a name
_OUTER = rf'{_KEY}=(?:\s*{QUOTED}\s*|[^,@"+]*)'  # of one that wraps another
_WITH_OPTIONS = re.compile(rf"(?P<body>.*)@(?P<options>{_LAST}(?:,{_LAST})*)", re.DOTALL)
_WRAPPING = re.compile(rf'(?P<name>[^\s@+:"]+)(?:@(?P<options>{_OUTER}(?:,{_OUTER})*))?\+(?P<inner>.+)', re.DOTALL)
_OPTION = re.compile(rf'(?P<key>{_KEY})=(?P<value>\s*{QUOTED}\s*|[^,@"]*)(?:,|\Z)')
_BY_MODALITY = "signal"  # stands for `signal-<modality>`
_HUB_PAGE = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/")
RIGHT = {"text": "st", "document": "st", "image": "hub", "audio": "hub", "series": "onnx"}  # models, by what they take


def parse(text: str) -> Call:
    """Take an encoder's name apart; a bare model id is a sentence-transformers model. Settings are text."""
    wrapping = _WRAPPING.fullmatch(text)
    if wrapping and wrapping["name"] in registry.names("encoder"):
        return Call(name=wrapping["name"], settings=_options(wrapping["options"] or ""), inner=wrapping["inner"])
    match = _WITH_OPTIONS.fullmatch(text)
    body, options = (match["body"], match["options"]) if match else (text, "")
    scheme, colon, argument = body.partition(":")
    if not colon:
        known = {_BY_MODALITY, *registry.names("encoder")}
        scheme, argument = (body, "") if body in known else ("st", body)
    return Call(name=scheme, argument=_plain(argument), settings=_options(options))


def suited(text: str, modality: str) -> Call:
    """`parse`, for items of a modality. Raises `InputError` for a name of another kind of model, with the likely one."""
    call = parse(text)
    model = _HUB_PAGE.sub("", f"{call.name}:{call.argument}" if call.name.startswith("http") else call.argument)
    right = RIGHT.get(modality, call.name)
    if model == call.argument and (call.name == "st") == (right == "st"):
        return call
    if call.name not in ("st", "hub", "http", "https"):
        return call
    if right != "st" and difflib.get_close_matches(model, [_BY_MODALITY]):
        meant = _BY_MODALITY
    else:
        scheme = "onnx" if right != "st" and Path(model).is_dir() and any(Path(model).glob("*.onnx")) else right
        meant = named(replace(call, name=scheme, argument=model))
    kinds = "hub: models take images and sounds" if right == "st" else "a bare name, or st:, is a model that reads texts"
    raise InputError(f"encoder '{model}' cannot be one of {modality}; did you mean {meant}? ({kinds})")


def canonical(text: str) -> str:
    """The same name with a local folder made absolute, so that it means the same from another working directory."""
    call = parse(text)
    return named(replace(call, argument=_absolute(call.argument), inner=call.inner and canonical(call.inner)))


def named(call: Call) -> str:
    """The text that `parse` takes apart into the same record."""
    options = ",".join(f"{key}={_safe(str(value), wraps=bool(call.inner))}" for key, value in call.settings.items())
    tail = (f"@{options}" if options else "") + (f"+{call.inner}" if call.inner else "")
    forms = [f"{call.name}:{call.argument}{tail}", f"{call.name}:{quoted(call.argument)}{tail}"]
    if not call.argument:
        forms.insert(0, call.name + tail)
    for form in forms:
        if parse(form) == call:
            return form
    raise InputError(f"encoder name {forms[0]} cannot be read back")


def _options(text: str) -> Mapping[str, Value]:
    return {match["key"].strip().replace("-", "_"): _plain(match["value"].strip()) for match in _OPTION.finditer(text)}


def _plain(text: str) -> str:
    if not re.fullmatch(QUOTED, text, re.DOTALL):
        return text
    try:
        return unquoted(text)
    except ValueError:
        raise InputError(f'{text}: no string with escapes such as \\" and \\n') from None


def _safe(text: str, *, wraps: bool) -> str:
    """The value as an option, in quotes if it would end early or lose something."""
    ends = r'[,@"+]' if wraps else r'[,@"]'
    return quoted(text) if re.search(ends, text) or text != text.strip() else text


def _absolute(argument: str) -> str:
    try:
        place = located(argument)
        return str(place.resolve()) if argument and place.exists() else argument
    except (OSError, ValueError):  # longer than a path may be, a null character
        return argument
