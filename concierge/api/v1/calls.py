"""What is said of a call where its view stands: what it takes, what it answers, which rules it may break."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from concierge.errors import ConciergeError

Shapes = tuple[type[BaseModel], ...]

_SAID: Final = "_concierge_call"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API; `takes` and `gives` are any of these shapes, by status where it answers."""

    scope: str
    takes: Shapes = ()
    gives: Mapping[int, Shapes] = field(default_factory=dict)
    breaks: tuple[type[ConciergeError], ...] = ()


def say(view: Callable[..., Any], call: Call) -> None:
    """Note what a view says of itself."""
    setattr(view, _SAID, call)


def said(view: Callable[..., Any]) -> Call:
    """What a view said of itself; raises AttributeError for one that said nothing."""
    call: Call = getattr(view, _SAID)
    return call
