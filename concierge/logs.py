"""The log: lines for people or JSON for machines, with the ids of rows and never with a customer's name or words.

Messages of foreign exceptions quote what they met (a database its parameters, a mail server an address), so of an
exception only its kind and its way through the code are written; our own errors have their sentence. Addresses that
still come along, for instance in a server's answer, are blotted out.
"""

import logging
import re
import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from concierge.errors import ConciergeError

_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+\.[^\s<>\"'(),;:]+")
_CALM = ("apscheduler", "alembic", "mail.log", "mail.debug", "urllib3", "botocore", "aiobotocore", "psycopg.pool")


def set_up(how: str = "auto", *, level: int = logging.INFO) -> None:
    """Write every logger's records to stderr: `how` is text, json, or auto (text on a terminal, else JSON)."""
    is_json = how == "json" or (how == "auto" and not sys.stderr.isatty())
    written = logging.StreamHandler()
    written.setFormatter(formatter(is_json=is_json, colours=sys.stderr.isatty()))
    root = logging.getLogger()
    for each in list(root.handlers):
        root.removeHandler(each)
    root.addHandler(written)
    root.setLevel(level)
    logging.getLogger("celery").setLevel(logging.WARNING)
    for noisy in _CALM:
        logging.getLogger(noisy).setLevel(logging.ERROR)


def formatter(*, is_json: bool, colours: bool = False) -> logging.Formatter:
    """What makes a line of a record."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso" if is_json else "%H:%M:%S", utc=is_json),
        _tell_faults,
        _blot_addresses,
    ]
    drawn: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if is_json
        else structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, drawn],
    )


def _tell_faults(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """An exception as its kind and its way through the code."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = _way(error)
    return event


def _way(error: BaseException) -> str:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = [_way(before), "which led to"] if before is not None and before is not error else []
    frames = traceback.extract_tb(error.__traceback__)
    lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return "\n".join([*lines, _words(error)])


def _words(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, ConciergeError):
        return f"{kind}: {(type(error).__doc__ or '').strip()}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    return kind


def _blot_addresses(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _blotted(value) for name, value in event.items()}


def _blotted(value: Any) -> Any:
    return _ADDRESS.sub("‹address›", value) if isinstance(value, str) and "@" in value else value
