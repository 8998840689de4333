"""What every test would pay anew is paid once a process: hashes, templates, the URL map, the compiling of statements.

Each application and each engine of the house keeps such things for itself, which is right where there is one of them;
the tests make thousands, and without this page spend most of their time here.
"""

from collections import defaultdict
from types import CodeType

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
    """Compiled templates, in memory and ready to run, each by the checksum of its source."""

    def __init__(self) -> None:
        """Begins empty."""
        self._kept: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give back what was compiled."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key, bucket.checksum] = bucket.code


TEMPLATES = Templates()


def be_thrifty() -> None:
    """Begin to share; called once a process, before anything of the house is made."""
    passwords.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    _share_rules()
    _share_statements()


def _share_rules() -> None:
    """What a rule makes of its pattern depends on nothing but the rule, so one application's serves the next."""
    compile_rule, known = Rule.compile, {}

    def compiled_once(rule: Rule) -> None:
        key = (rule.rule, rule.subdomain, rule.merge_slashes, repr(rule.defaults))
        if key not in known:
            compile_rule(rule)
            builders = [each.__func__ for each in (rule._build, rule._build_unknown)]  # type: ignore[attr-defined]
            known[key] = (rule._parts, rule._trace, rule._converters, builders)
        rule._parts, rule._trace, rule._converters, builders = known[key]
        rule._build, rule._build_unknown = (each.__get__(rule, None) for each in builders)
        rule.arguments |= rule._converters.keys()

    Rule.compile = compiled_once  # type: ignore[method-assign]


def _share_statements() -> None:
    """A statement compiled for one engine serves every other of its kind: they differ in their address alone."""
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[method-assign, assignment]
        dialect.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign, assignment]
    compiled: defaultdict[str, dict[object, object]] = defaultdict(dict)

    @event.listens_for(sa.Engine, "engine_connect")
    def share(connection: sa.Connection) -> None:
        connection.engine._compiled_cache = compiled[connection.dialect.name]  # type: ignore[assignment]
