"""What every test would pay anew is paid once a process: hashes, templates, the URL map, the compiling of statements.

Each application and each engine of the house keeps such things for itself, which is right where there is one of them;
the tests make thousands, and without this page spend most of their time here.
"""

from collections import defaultdict

import sqlalchemy as sa
from argon2 import PasswordHasher
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from werkzeug.routing import Rule

from concierge.accounts import passwords


class Templates(BytecodeCache):
    """Compiled templates, in memory; Jinja compares the source's checksum itself."""

    def __init__(self) -> None:
        """Begins empty."""
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give back what was compiled."""
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = Templates()


def be_thrifty() -> None:
    """Begin to share; called once a process, before anything of the house is made."""
    passwords.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    _share_builders()
    _share_statements()


def _share_builders() -> None:
    """How a rule makes a URL depends on nothing but the rule, so one application's builder serves the next."""
    compile_builder, builders = Rule._compile_builder, {}

    def made_once(rule: Rule, append_unknown: bool = True) -> object:
        key = (rule.rule, rule.subdomain, repr(rule.defaults), append_unknown)
        if key not in builders:
            builders[key] = compile_builder(rule, append_unknown)
        return builders[key]

    Rule._compile_builder = made_once  # type: ignore[method-assign, assignment]


def _share_statements() -> None:
    """A statement compiled for one engine serves every other of its kind: they differ in their address alone."""
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[method-assign, assignment]
        dialect.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign, assignment]
    compiled: defaultdict[str, dict[object, object]] = defaultdict(dict)

    @event.listens_for(sa.Engine, "engine_connect")
    def share(connection: sa.Connection) -> None:
        connection.engine._compiled_cache = compiled[connection.dialect.name]  # type: ignore[assignment]
