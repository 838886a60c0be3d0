"""Types of settings: what a value must be, said in a part's signature and checked wherever a part is named.

A type of one's own is `Annotated[int, Rule(meaning="an even number", holds=lambda value: value % 2 == 0)]`; a choice among
names is a `Literal`. How an annotation is spelled makes no difference.
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from textanchor.errors import InputError
from textanchor.grammar import value_of


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What more than its type a setting must be: in words, and as a test of a value of that type."""

    meaning: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What the bench may try of a setting that nobody names: from `low` to `high`, on a logarithmic scale with `log`."""

    low: float
    high: float
    log: bool = True


@dataclass(frozen=True, kw_only=True)
class Part:
    """A setting that names a part with settings of its own; the registry's kind."""

    kind: str


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(type(value) in (int, float) for value in values)


Count: TypeAlias = Annotated[int, Rule(meaning="a whole number of 1 or more", holds=lambda value: value >= 1)]
Whole: TypeAlias = Annotated[int, Rule(meaning="a whole number of 0 or more", holds=lambda value: value >= 0)]
Positive: TypeAlias = Annotated[float, Rule(meaning="a number above 0", holds=lambda value: 0 < value < math.inf)]
Amount: TypeAlias = Annotated[float, Rule(meaning="a number of 0 or more", holds=lambda value: 0 <= value < math.inf)]
Share: TypeAlias = Annotated[float, Rule(meaning="a number from 0 to 1", holds=lambda value: 0 <= value <= 1)]
Seconds: TypeAlias = Annotated[float, Rule(meaning="seconds above 0", holds=lambda value: 0 < value < math.inf)]
Numbers: TypeAlias = Annotated[Sequence[float | int], Rule(meaning="a list of numbers", holds=_are_numbers)]

Penalty: TypeAlias = Annotated[Positive, Tuned(low=1e-3, high=10.0)]
Width: TypeAlias = Annotated[Positive, Tuned(low=0.25, high=4.0)]
Rate: TypeAlias = Annotated[Positive, Tuned(low=1e-4, high=1e-2)]
Decay: TypeAlias = Annotated[Amount, Tuned(low=1e-4, high=1e-1)]
Temperature: TypeAlias = Annotated[Positive, Tuned(low=0.02, high=0.5)]
Margin: TypeAlias = Annotated[Amount, Tuned(low=0.05, high=0.5)]
Dropout: TypeAlias = Annotated[Share, Tuned(low=0.0, high=0.6, log=False)]
Shrinkage: TypeAlias = Annotated[Amount, Tuned(low=0.03, high=1.0)]
Power: TypeAlias = Annotated[Amount, Tuned(low=0.0, high=3.0, log=False)]
Weight: TypeAlias = Annotated[Amount, Tuned(low=0.01, high=10.0)]
LossName: TypeAlias = Annotated[str, Part(kind="loss")]
ProjectorName: TypeAlias = Annotated[str, Part(kind="projector")]
ViewName: TypeAlias = Annotated[str, Part(kind="view")]

PLAIN: Mapping[Any, Rule] = {
    float: Rule(meaning="a number", holds=math.isfinite),
    int: Rule(meaning="a whole number", holds=lambda value: True),
    str: Rule(meaning="a name", holds=lambda value: True),
    bool: Rule(meaning="true or false", holds=lambda value: True),
    NoneType: Rule(meaning="None", holds=lambda value: value is None),
    list: Rule(meaning="a list", holds=lambda value: True),
}
_Kind: TypeAlias = tuple[type, tuple[Rule, ...]]


def checked(value: Any, hint: Any, place: str, *, text: bool = False) -> Any:
    """The value if it is what the annotation says, whole numbers as floats where those are meant; as it is where the annotation
    says nothing that is known here. With `text` it was written in a line where strings have no quotes, and is read as what
    the annotation says. Raises `InputError`."""
    kinds = _kinds(hint)
    if kinds is None:
        return value
    for reading in _readings(value) if text else (value,):
        for kind, rules in kinds:
            same = _as_float(reading) if kind is float and type(reading) is int else reading
            if type(same) is kind and all(rule.holds(same) for rule in rules):
                return same
    meanings = dict.fromkeys(rules[-1].meaning for kind, rules in kinds if kind is not NoneType)
    raise InputError(f"{place}={value}: expected {' or '.join(meanings)}")


def bound(
    part: Callable[..., Any],
    settings: Mapping[str, Any],
    *,
    given: Mapping[str, Any],
    place: str,
    unknown: str = " has no setting",
    text: bool = False,
    also: Sequence[str] = (),
) -> inspect.BoundArguments:
    """A part's arguments, not called yet: `settings` (as `checked` leaves them) win over what is `given`.

    `place` names the part in errors, and `unknown` follows it if a setting is none of the part's; `also` are further known
    ones, which somebody else has taken already. Raises `InputError`.
    """
    parameters = inspect.signature(part).parameters
    known = _known(parameters.values(), given)
    rest = _any_name(part, parameters.values())
    values = dict(given)
    for key, value in settings.items():
        name = key if key in known else rest
        if name is None or (key in given and key not in known):
            raise InputError(f"{place}{unknown} '{key}'{_nearest(key, [*known, *also])}")
        values[key] = checked(value, annotation(part, name), f"{place}: {key}", text=text)
    try:
        return inspect.signature(part).bind(**values)
    except TypeError as why:
        raise InputError(f"{place}: {why} (known: {', '.join(known) or 'none'})") from None


def settings_of(part: Callable[..., Any], given: Mapping[str, Any]) -> list[str]:
    """Names of what may be set of a part when the caller gives the rest."""
    return _known(inspect.signature(part).parameters.values(), given)


def _known(parameters: Iterable[inspect.Parameter], given: Mapping[str, Any]) -> list[str]:
    """Names of settings: what the caller gives is none, unless there is a default."""
    named = [one for one in parameters if one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return [one.name for one in named if one.name not in given or one.default is not one.empty]


def _any_name(part: Callable[..., Any], parameters: Iterable[inspect.Parameter]) -> str | None:
    """The parameter that takes settings of any name, if there is one; not that of `torch.nn.Module`, which then takes none."""
    kinds = {one.kind: one.name for one in parameters}
    if inspect.isclass(part) and inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    return kinds.get(inspect.Parameter.VAR_KEYWORD)


def annotation(part: Callable[..., Any], name: str) -> Any:
    """What a part's signature says of a setting, however that is spelled; None where nothing, or nothing that can be found."""
    told = inspect.signature(part).parameters[name].annotation
    written = inspect.unwrap(getattr(part, "__init__") if inspect.isclass(part) else part)  # noqa: B009
    scope = getattr(getattr(written, "func", written), "__globals__", {})
    if told is inspect.Parameter.empty:
        return None
    try:
        return get_type_hints(SimpleNamespace(__annotations__={name: told}), globalns=scope, include_extras=True)[name]
    except (NameError, TypeError, SyntaxError, AttributeError):  # a name that exists for type checkers only
        return None


def marks(hint: Any) -> tuple[Any, ...]:
    """All that an annotation says beside types, in any of its alternatives: rules, `Tuned`, `Part`."""
    hint = getattr(hint, "__value__", hint)
    own = tuple(getattr(hint, "__metadata__", ()))
    return (*own, *(mark for alternative in get_args(hint) if alternative not in own for mark in marks(alternative)))


def is_whole(hint: Any) -> bool:
    """Whether only whole numbers are meant."""
    types = {kind for kind, _ in _kinds(hint) or ()}
    return int in types and float not in types


def _readings(text: str) -> tuple[Any, ...]:
    """The text as it stands and, if it is something in a call, as that."""
    try:
        return text, value_of(text)
    except InputError:
        return (text,)


def _nearest(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"{hint} (known: {', '.join(known) or 'none'})"


def _kinds(hint: Any) -> list[_Kind] | None:
    """What an annotation allows: a type and its rules for each alternative; None if any of it is not known here."""
    hint = getattr(hint, "__value__", hint)  # of an alias declared by `type`
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        alternatives = [_kinds(alternative) for alternative in arguments]
        return None if None in alternatives else [kind for kinds in alternatives for kind in kinds or ()]
    if origin is Annotated:
        kinds = _kinds(arguments[0])
        own = tuple(rule for rule in arguments[1:] if isinstance(rule, Rule))
        return kinds and [(kind, rules if kind is NoneType else (*rules, *own)) for kind, rules in kinds]
    if origin is Literal:
        meaning = f"one of {', '.join(map(str, arguments))}"
        kinds_of = dict.fromkeys(type(value) for value in arguments)
        return [(kind, (Rule(meaning=meaning, holds=lambda value: value in arguments),)) for kind in kinds_of]
    plain = list if origin in (list, tuple, abc.Sequence) else hint
    return [(plain, (PLAIN[plain],))] if isinstance(plain, type) and plain in PLAIN else None


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
