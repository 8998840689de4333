"""Configuration read once from the environment and `.env`, every mistake reported at once; and the house's numbers."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from concierge.closed_days import check, covers
from concierge.errors import Misconfigured
from concierge.iana import zone_names
from concierge.imap_settings import ImapAccount, read_accounts
from concierge.kept_secrets import kept_secret
from concierge.setting_checks import (
    BROKERS,
    OWN_MACHINE,
    RELAY_PORTS,
    check_blobs_url,
    check_broker_url,
    check_database_url,
    check_event_key,
    check_order_number,
    check_receivers,
    check_relay_url,
    check_return_path,
    check_secret,
    check_web_url,
)
from concierge.variables import given_variables, unknown_variables

__all__ = ["BROKERS", "OWN_MACHINE", "RELAY_PORTS", "check_relay_url"]

_PACKAGE = Path(__file__).parent

# English is written in the source; each folder of translations adds a language.
LANGUAGES = ("en", *sorted(each.parent.name for each in _PACKAGE.glob("translations/*/LC_MESSAGES")))
# A European house: the day before the month, the 24-hour clock.
_LOCALES = {"en": "en_GB"}


def locale_of(language: str) -> str:
    """The locale dates and prices of a language are written in: "en" → "en_GB", "it" → "it"."""
    return _LOCALES.get(language, language)


def house_folder(name: Literal["templates", "emails", "migrations"]) -> Path:
    """Where these files lie: inside an installed wheel, or beside the package in a checkout."""
    installed = _PACKAGE / "_house" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def _zone(name: str) -> str:
    if name not in zone_names():
        raise ValueError("is not a time zone")
    return name


class Policy(BaseSettings):
    """The house's numbers."""

    model_config = SettingsConfigDict(env_prefix="CONCIERGE_POLICY_", env_file=".env", extra="ignore")

    undo_seconds: int = Field(10, ge=0, le=120, examples=["10"])
    send_attempts: int = Field(8, ge=1, le=30, examples=["8"])
    # mails to the provider in a second, over all machines; 0 means as fast as it goes
    send_per_second: float = Field(0, ge=0, le=10_000, examples=["10"])
    # mails no person sent: to one address, in one conversation, and in all; what is more waits. 0: as many as there are
    automatic_mails_a_day: int = Field(3, ge=0, le=1000, examples=["3"])
    automatic_mails_a_day_per_conversation: int = Field(5, ge=0, le=1000, examples=["5"])
    automatic_mails_a_day_in_all: int = Field(50_000, ge=0, le=100_000_000, examples=["50000"])
    # the provider has to be away for so long before mails go by CONCIERGE_FALLBACK
    fallback_minutes: int = Field(5, ge=0, le=24 * 60, examples=["5"])
    send_timeout_seconds: int = Field(30, ge=1, le=60, examples=["30"])
    lease_minutes: int = Field(10, ge=1, le=120, examples=["10"])
    # what waits for longer, or a provider away for longer, makes the house not ready (/readyz)
    backlog_minutes: int = Field(5, ge=1, le=24 * 60, examples=["5"])
    filing_attempts: int = Field(3, ge=1, le=10, examples=["3"])
    # of one sender, by the envelope; 0 means as much as comes (see docs/operations.md)
    sender_mails_a_day: int = Field(500, ge=0, le=1_000_000, examples=["500"])
    sender_megabytes_a_day: int = Field(1000, ge=0, le=1_000_000, examples=["1000"])
    # the score of the provider that took it in from which a mail counts as unwanted; 0 means never
    spam_score: float = Field(5, ge=0, le=1000, examples=["5"])
    # the shop's order numbers, as a regular expression: behind the word for an order, or a #, they are shown to editors
    order_number: Annotated[str, AfterValidator(check_order_number)] = Field("", examples=[r"S-\d{5}"])
    attachment_megabytes: int = Field(18, ge=1, le=20, examples=["18"])
    session_hours: int = Field(12, ge=1, le=24 * 14, examples=["12"])
    wish_first_mails_per_day: int = Field(3, ge=1, le=20, examples=["3"])
    wish_first_mails_per_hour: int = Field(600, ge=1, le=100_000, examples=["600"])
    wish_requests_per_network: int = Field(30, ge=1, le=10_000, examples=["30"])
    wish_requests_per_key: int = Field(600, ge=1, le=100_000, examples=["600"])
    wish_request_days: int = Field(3, ge=1, le=30, examples=["3"])
    wish_request_kept_days: int = Field(30, ge=1, le=365, examples=["30"])
    wish_link_days: int = Field(90, ge=1, le=730, examples=["90"])
    wish_days: int = Field(180, ge=7, le=1100, examples=["180"])
    wish_unconfirmed_days: int = Field(14, ge=1, le=90, examples=["14"])
    wish_ask_days: int = Field(14, ge=1, le=90, examples=["14"])
    offer_bundle_minutes: int = Field(60, ge=0, le=24 * 60, examples=["60"])
    offer_similar: bool = Field(False, examples=["false"])
    wish_rest_days: int = Field(7, ge=1, le=90, examples=["7"])
    # planned and automatic mails to one person, and the hours of her own clock in which they reach her
    courtesy_mails_per_week: int = Field(3, ge=1, le=100, examples=["3"])
    courtesy_rest_hours: int = Field(24, ge=0, le=24 * 30, examples=["24"])
    courtesy_from_hour: int = Field(9, ge=0, le=22, examples=["9"])
    courtesy_until_hour: int = Field(20, ge=1, le=24, examples=["20"])
    # days on which the house is closed, by its own calendar: every year's, or one year's
    closed_days: Annotated[str, AfterValidator(check)] = Field("", examples=["12-24..12-26, 2026-08-17"])
    # a follow-up later than this asks its editor first, or …; a backlog leaves so many a minute
    follow_up_when_late: Literal["asked", "skipped", "sent"] = Field("asked", examples=["asked"])
    follow_up_late_hours: int = Field(24, ge=1, le=24 * 30, examples=["24"])
    follow_up_backlog_per_minute: int = Field(60, ge=1, le=100_000, examples=["60"])
    timezone: Annotated[str, AfterValidator(_zone)] = Field("Europe/Rome", examples=["Europe/Rome"])
    stock_jump: int = Field(50, ge=1, le=1_000_000, examples=["50"])
    stock_vanish_percent: int = Field(20, ge=0, le=100, examples=["20"])
    stock_settle_minutes: float = Field(5, ge=0, le=24 * 60, examples=["5"])
    returns_add_stock: bool = Field(True, examples=["true"])
    api_calls_per_minute: int = Field(1200, ge=1, le=1_000_000, examples=["1200"])
    shop_location: str = Field("online", min_length=1, max_length=40, examples=["online"])
    # what the shop takes for granted when it tells of a product: its language, its currency, how its sizes are written
    shop_language: str = Field("en", pattern="^[a-z]{2}$", examples=["it"])
    shop_currency: str = Field("EUR", pattern="^[A-Z]{3}$", examples=["EUR"])
    shop_sizes: Literal["EU", "IT", "FR", "UK", "US"] = Field("EU", examples=["IT"])

    @model_validator(mode="after")
    def _check_hours(self) -> "Policy":
        if self.courtesy_from_hour >= self.courtesy_until_hour:
            raise ValueError("CONCIERGE_POLICY_COURTESY_UNTIL_HOUR must be later than …_FROM_HOUR")
        return self

    def is_closed(self, day: date) -> bool:
        """Whether the house is closed on a day of its own calendar."""
        return covers(self.closed_days, day)

    @property
    def stock_settling(self) -> timedelta:
        """How long units must have been there before they are offered, and missing before an offer ends for it."""
        return timedelta(minutes=self.stock_settle_minutes)

    @property
    def at_once(self) -> "Policy":
        """The same numbers for a unit somebody has in her hands: it may be offered without waiting for it to settle."""
        return self.model_copy(update={"stock_settle_minutes": 0.0})

    @property
    def zone(self) -> ZoneInfo:
        """The house's own time zone."""
        return ZoneInfo(self.timezone)

    @property
    def wish_span(self) -> timedelta:
        """How long a wish lives before we ask whether she still wants it."""
        return timedelta(days=self.wish_days)

    @property
    def wish_rest(self) -> timedelta:
        """How long a wish rests after an offer nobody answered; twice as long after the next one."""
        return timedelta(days=self.wish_rest_days)

    @property
    def undo_window(self) -> timedelta:
        """How long an answer can be called back."""
        return timedelta(seconds=self.undo_seconds)

    @property
    def lease(self) -> timedelta:
        """How long a claim holds before the row counts as orphaned."""
        return timedelta(minutes=self.lease_minutes)

    @property
    def fallback_after(self) -> timedelta:
        """How long the first carrier may be away before the second takes over."""
        return timedelta(minutes=self.fallback_minutes)


class Config(BaseSettings):
    """Where things are and how to reach them; every field is an environment variable CONCIERGE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CONCIERGE_", env_file=".env", extra="ignore", validate_default=True)

    data: Path = Field(Path("data"), examples=["/var/lib/concierge"])
    # another folder in which this machine keeps how far the house has come: one that is not put back with the data
    marks: Path | None = Field(None, examples=["/var/local/concierge"])
    host: str = Field("127.0.0.1", examples=["127.0.0.1"])
    port: int = Field(8000, ge=1, le=65535, examples=["8000"])
    smtp_host: str = Field("127.0.0.1", examples=["127.0.0.1"])
    smtp_port: int = Field(2525, ge=1, le=65535, examples=["2525"])
    # off unless one of them is set: LMTP on a port of its own (0: none), or on a socket in the file system
    lmtp_host: str = Field("127.0.0.1", examples=["127.0.0.1"])
    lmtp_port: int = Field(0, ge=0, le=65535, examples=["2424"])
    lmtp_socket: Path | None = Field(None, examples=["/run/concierge/lmtp"])
    base_url: str = Field("", examples=["https://concierge.example.com"])
    database_url: str = Field("", examples=["postgresql://concierge:secret@db/concierge"])
    broker_url: SecretStr = Field(SecretStr(""), examples=["redis://:password@broker:6379/0"])
    blobs_url: str = Field("", examples=["s3://bucket/concierge"])
    secret_key: SecretStr = Field(SecretStr(""), examples=["a random text of at least 32 characters"])
    demo: bool = Field(True, examples=["false"])
    provider: Literal["folder", "smtp", "sendgrid", "memory"] = Field("folder", examples=["folder"])
    # another carrier, for what is queued while the first one is away
    fallback: Literal["", "smtp", "sendgrid"] = Field("", examples=["smtp"])
    outbox: Path | None = Field(None, examples=["/var/lib/concierge/outbox"])
    smtp_url: SecretStr = Field(SecretStr(""), examples=["smtp+starttls://name:password@relay.example.com:587"])
    # a private key (PEM) our mails by SMTP are signed with, and the name its public half has in DNS
    dkim_key: Path | None = Field(None, examples=["/etc/concierge/dkim.pem"])
    dkim_selector: str = Field("concierge", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", examples=["concierge"])
    # where mail by SMTP comes back to: an address of its own, or "unsigned"; else each mail's sender, signed
    return_path: str = Field("", examples=["bounces@mail.maison.example", "unsigned"])
    sendgrid_api_key: SecretStr = Field(SecretStr(""), examples=["SG.…"])
    sendgrid_url: str = Field("https://api.sendgrid.com", examples=["https://api.eu.sendgrid.com"])
    # the public key SendGrid signs its events with, from Settings › Mail Settings › Event Webhooks
    sendgrid_event_key: str = Field("", examples=["MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…"])
    # the same of an Inbound Parse that has a security policy with a signature; what is not signed is kept out then
    sendgrid_inbound_key: str = Field("", examples=["MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…"])
    inbound_secret: SecretStr = Field(SecretStr(""), examples=["a random text of at least 24 characters"])
    # the mail systems whose word on a mail's sender counts, by the names in their Authentication-Results
    trusted_receivers: Annotated[str, AfterValidator(check_receivers)] = Field("", examples=["mx.maison.example"])
    max_mail_bytes: int = Field(30 * 1024 * 1024, ge=64 * 1024, le=150 * 1024 * 1024, examples=["31457280"])
    stock_folder: Path | None = Field(None, examples=["/var/lib/concierge/stock"])
    shopify_secret: SecretStr = Field(SecretStr(""), examples=["the app's client secret"])
    shopify_locations: dict[str, str] = Field(default_factory=dict, examples=['{"655441491": "online"}'])
    # where customers buy, for the links to products: Shopify's webhooks name only the product
    shopify_domain: str = Field("", pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$", examples=["shop.maison.example"])
    woocommerce_secret: SecretStr = Field(SecretStr(""), examples=["the secret typed into the webhook"])
    metrics_token: SecretStr = Field(SecretStr(""), examples=["a random text, for Prometheus"])
    log: Literal["auto", "text", "json"] = Field("auto", examples=["json"])
    trusted_proxies: int = Field(0, ge=0, le=5, examples=["1"])
    policy: Policy = Field(default_factory=Policy)
    # from variables CONCIERGE_IMAP_<NAME>_<FIELD>, see `imap_settings`
    imap: Annotated[tuple[ImapAccount, ...], NoDecode] = ()

    @field_validator("smtp_url", "sendgrid_api_key")
    @classmethod
    def _needed(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        provider = {"smtp_url": "smtp", "sendgrid_api_key": "sendgrid"}[str(info.field_name)]
        if provider in (info.data.get("provider"), info.data.get("fallback")) and not value.get_secret_value():
            raise ValueError(f"is needed by the {provider} provider")
        return value

    @field_validator("fallback")
    @classmethod
    def _another(cls, value: str, info: ValidationInfo) -> str:
        if value and value == info.data.get("provider"):
            raise ValueError("is the provider itself; name another one")
        return value

    @field_validator(
        "smtp_url",
        "secret_key",
        "base_url",
        "return_path",
        "sendgrid_url",
        "sendgrid_event_key",
        "sendgrid_inbound_key",
        "database_url",
        "blobs_url",
        "broker_url",
    )
    @classmethod
    def _readable(cls, value: Any, info: ValidationInfo) -> Any:
        if text := value.get_secret_value() if isinstance(value, SecretStr) else value:
            _CHECKS[str(info.field_name)](text)
        return value

    @field_validator("lmtp_port")
    @classmethod
    def _beside(cls, value: int, info: ValidationInfo) -> int:
        taken = {(info.data.get(f"{each}port"), info.data.get(f"{each}host")) for each in ("", "smtp_")}
        if value and (value, info.data.get("lmtp_host")) in taken:
            raise ValueError("is taken by the pages or by SMTP; LMTP needs one of its own")
        return value

    @field_validator("smtp_port")
    @classmethod
    def _apart(cls, value: int, info: ValidationInfo) -> int:
        if (value, info.data.get("smtp_host")) == (info.data.get("port"), info.data.get("host")):
            raise ValueError("is the pages' port too; the mail door needs one of its own")
        return value

    @model_validator(mode="after")
    def _settle(self) -> "Config":
        self.data = self.data.expanduser().absolute()
        self.marks = self.marks and self.marks.expanduser().absolute()
        self.outbox = (self.outbox or self.data / "outbox").expanduser().absolute()
        self.database_url = _with_driver(self.database_url) or f"sqlite+pysqlite:///{self.data / 'concierge.db'}"
        self.blobs_url = self.blobs_url or str(self.data / "blobs")
        if "demo" not in self.model_fields_set:
            self.demo = self._stands_alone()
        self.base_url = (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")
        return self

    def _stands_alone(self) -> bool:
        """Whether only this machine reaches the house and no mail leaves it: a house to try, not one to work in."""
        hosts = {self.host, urlsplit(self.base_url).hostname or self.host}
        return hosts <= OWN_MACHINE and self.provider in {"folder", "memory"}

    @property
    def secret(self) -> str:
        """The key everything is signed with: configured, else made once and kept in the data folder."""
        return self.secret_key.get_secret_value() or kept_secret(self.data / "secret.key")

    @property
    def receivers(self) -> frozenset[str]:
        """The names of the mail systems whose word on a mail's sender counts."""
        return frozenset(self.trusted_receivers.lower().replace(",", " ").split())

    @property
    def inbound_token(self) -> str:
        """The secret in the webhook's URL: configured, else made once and kept in the data folder."""
        return self.inbound_secret.get_secret_value() or kept_secret(self.data / "inbound.key")

    @property
    def clock_file(self) -> Path | None:
        """Where a demo keeps how far its clock was moved; a house for work has no such place, whatever lies there."""
        return self.data / "demo-clock.json" if self.demo else None

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is used."""
        return self.database_url.startswith("sqlite")


_CHECKS: dict[str, Callable[[str], str]] = {
    "base_url": check_web_url,
    "blobs_url": check_blobs_url,
    "broker_url": check_broker_url,
    "database_url": lambda url: check_database_url(_with_driver(url)),
    "return_path": check_return_path,
    "secret_key": check_secret,
    "sendgrid_event_key": check_event_key,
    "sendgrid_inbound_key": check_event_key,
    "sendgrid_url": check_web_url,
    "smtp_url": check_relay_url,
}


def read_config(**overrides: object) -> Config:
    """The configuration from environment, `.env` and `overrides` (command-line options; None means not given).

    Raises Misconfigured whose text has one line for each mistake: the variable, what is wrong, an example.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    variables = given_variables()
    faults = _unknown_settings(variables)
    policy = Policy.model_construct()
    accounts, mistaken = read_accounts(variables)
    faults += mistaken
    try:
        policy = Policy()
    except ValidationError as error:
        faults += _faults(error, Policy, "CONCIERGE_POLICY_")
    try:
        config = Config(**{"imap": accounts} | given, policy=policy)  # type: ignore[arg-type]
    except ValidationError as error:
        faults += _faults(error, Config, "CONCIERGE_", given)
    if faults:
        raise Misconfigured("\n".join(faults))
    return config


def _faults(error: ValidationError, model: type[BaseSettings], prefix: str, options: Collection[str] = ()) -> list[str]:
    """A line for each mistake, by the name of the variable, or of the command-line option it was given by."""
    lines = []
    for fault in error.errors():
        message = fault["msg"].removeprefix("Value error, ")
        name = str(fault["loc"][0])
        examples = model.model_fields[name].examples or [""]
        called = f"--{name.replace('_', '-')}" if name in options else f"{prefix}{name.upper()}"
        lines.append(f"{called}: {message[0].lower()}{message[1:]}, e.g. {examples[0]}")
    return lines


def _unknown_settings(given: Mapping[str, str | None]) -> list[str]:
    known = [f"CONCIERGE_{name.upper()}" for name in Config.model_fields if name not in {"policy", "imap"}]
    known += [f"CONCIERGE_POLICY_{name.upper()}" for name in Policy.model_fields]
    return unknown_variables(given, known)


def _with_driver(url: str) -> str:
    for plain in ("postgres://", "postgresql://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url
