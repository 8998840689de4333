"""`concierge check`: tries everything that is configured, and says of each what works or how to mend it."""

import secrets
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import sqlalchemy as sa

from concierge import blobs, clock, cluster, schema, starting
from concierge.accounts import queries
from concierge.config import Config
from concierge.db import database_now, make_engine, make_sessions, reading
from concierge.errors import ConciergeError
from concierge.inbound.sources.imap_check import check_account
from concierge.mailing.dkim import read_signer
from concierge.mailing.mail import wire_address
from concierge.mailing.providers import open_provider
from concierge.wishes.invariants import find_broken_invariants

LARGEST_SKEW = timedelta(seconds=5)


class NotWorking(ConciergeError):
    """This does not work."""


@dataclass(frozen=True)
class Finding:
    """What one check found: `words` say what works, or what doesn't and how to mend it."""

    name: str
    works: bool
    words: str


def check_all(config: Config) -> Iterator[Finding]:
    """Try everything, one after the other; a check that fails does not keep the others from being tried."""
    for name, check in _checks_for(config).items():
        try:
            yield Finding(name, True, check(config))
        except ConciergeError as error:
            yield Finding(name, False, str(error) or error.sentence())
        except sa.exc.DBAPIError:
            yield Finding(name, False, "Can't be looked at until the database works.")
        except Exception as error:
            yield Finding(name, False, f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")


def _checks_for(config: Config) -> dict[str, Callable[[Config], str]]:
    """Everything, and what only some houses have."""
    checks: dict[str, Callable[[Config], str]] = {
        "database": check_database,
        "blobs": check_blobs,
        "provider": check_provider,
        "mailboxes": check_mailboxes,
        "clock": check_clock,
        "sums": check_sums,
    }
    if config.fallback:
        checks["fallback"] = lambda each: check_provider(each.model_copy(update={"provider": each.fallback}))
    if config.dkim_key and "smtp" in (config.provider, config.fallback):
        checks["dkim"] = check_dkim
    if config.broker_url.get_secret_value():
        checks["broker"] = check_broker
    for account in config.imap:
        checks[f"imap {account.name}"] = partial(check_account, account=account)
    return checks


def check_database(config: Config) -> str:
    """Reached, durable, at the newest migration."""
    starting.require_database(config)
    schema.require_current(config)
    engine = make_engine(config)
    try:
        with engine.connect() as connection:
            if config.is_sqlite:
                version = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
                return f"SQLite {version} in WAL with synchronous=FULL, at migration {schema.newest()}."
            version = connection.exec_driver_sql("SHOW server_version").scalar_one()
            return f"PostgreSQL {version.split()[0]} with fsync, at migration {schema.newest()}."
    finally:
        engine.dispose()


def check_blobs(config: Config) -> str:
    """Written, read back, taken away again."""
    store = blobs.open_store(config)
    data = secrets.token_bytes(64)
    try:
        key = store.put(data)
        read = store.get(key)
        store.delete(key)
    except Exception as error:
        reason = str(error) if isinstance(error, blobs.StoreAway) else f"{type(error).__name__}: {error}"
        keys = (
            " and what it is opened with (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID …)" if "://" in config.blobs_url else ""
        )
        raise NotWorking(f"{config.blobs_url} can't be used ({reason}); set CONCIERGE_BLOBS_URL{keys}.") from error
    if read != data:
        raise NotWorking(f"{config.blobs_url} gave back other bytes than it was given; set CONCIERGE_BLOBS_URL.")
    return f"Written, read and deleted in {config.blobs_url}."


def check_provider(config: Config) -> str:
    """The carrier answers; nothing is sent."""
    provider = open_provider(config)
    try:
        return provider.check()
    finally:
        provider.close()


def check_dkim(config: Config) -> str:
    """The key is there and signs; what has to stand in DNS for it, at each domain mail leaves from."""
    assert config.dkim_key is not None
    signer = read_signer(config.dkim_key, config.dkim_selector)
    sessions = make_sessions(config)
    with reading(sessions) as session:
        domains = sorted({wire_address(each.address).rpartition("@")[2] for each in queries.list_mailboxes(session)})
    sessions.kw["bind"].dispose()
    records = "".join(f'\n    {signer.place(domain)}. TXT "{signer.record}"' for domain in domains)
    return f"Mails are signed. In DNS there has to be:{records}" if records else "Mails are signed."


def check_broker(config: Config) -> str:
    """Celery is here, the broker answers, and the database is one that machines can share."""
    where = cluster.check_broker(cluster.require_cluster(config))
    return f"{where} answers."


def check_mailboxes(config: Config) -> str:
    """At least one address is open for customers."""
    sessions = make_sessions(config)
    with sessions() as session:
        open_ones = [mailbox.address for mailbox in queries.list_mailboxes(session, active_only=True)]
    sessions.kw["bind"].dispose()
    if not open_ones:
        raise NotWorking(
            "No mailbox is open; add one: concierge mailbox add care@your-house.example --brand 'Your House'."
        )
    return f"Mail is taken in for {', '.join(open_ones)}."


def check_sums(config: Config) -> str:
    """Holds, sales and units agree, and every wish with its offers."""
    sessions = make_sessions(config)
    try:
        with reading(sessions) as session:
            broken = find_broken_invariants(session)
    finally:
        sessions.kw["bind"].dispose()
    if broken:
        rows = "; ".join(f"{each.table} {each.id}: {each.rule}, but {each.words}" for each in broken[:5])
        more = f" (and {len(broken) - 5} more)" if len(broken) > 5 else ""
        raise NotWorking(f"{rows}{more}. The page /wishes/broken lists them and says since when.")
    return "Holds, sales and units agree, and so do wishes and offers."


def check_clock(config: Config) -> str:
    """Time zone data is there, and our clock and the database's agree."""
    try:
        zone = zoneinfo.ZoneInfo(config.policy.timezone)
    except zoneinfo.ZoneInfoNotFoundError as error:
        raise NotWorking(f"No time zone data for {config.policy.timezone}; install tzdata.") from error
    engine = make_engine(config)
    try:
        with engine.connect() as connection:
            theirs = database_now(connection)
            ours = clock.machine_now()
    finally:
        engine.dispose()
    skew = abs(ours - theirs)
    if skew > LARGEST_SKEW:
        raise NotWorking(f"Our clock and the database's are {skew.total_seconds():.0f} s apart; set both by NTP.")
    return (
        f"{ours.astimezone(zone):%H:%M} in {config.policy.timezone}, {skew.total_seconds():.1f} s from the database's."
    )
