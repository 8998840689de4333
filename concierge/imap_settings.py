"""The mail accounts that are read over IMAP, from variables CONCIERGE_IMAP_<NAME>_<FIELD>; every mistake at once."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from concierge.setting_checks import OWN_MACHINE, check_web_url

PREFIX = "CONCIERGE_IMAP_"
# What a server keeps for everybody, besides keywords of our own (RFC 3501, 2.3.2).
SYSTEM_FLAGS = frozenset({"\\Seen", "\\Flagged", "\\Answered"})
_KEYWORD = re.compile(r"[A-Za-z0-9$_.-]{1,60}")
_NAME = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)*")


def _listed(value: Any) -> Any:
    return tuple(each.strip() for each in value.split(",") if each.strip()) if isinstance(value, str) else value


class ImapAccount(BaseModel):
    """One account at a mail server: how to get in, which folders to read, what becomes of a mail once we have it."""

    model_config = ConfigDict(frozen=True, validate_default=True)

    name: str
    host: str = Field(min_length=1, examples=["imap.example.com"])
    tls: Literal["tls", "starttls", "none"] = Field("tls", examples=["tls"])
    # 0 is the one that goes with how the line is protected
    port: int = Field(0, ge=0, le=65535, examples=["993"])
    user: str = Field(min_length=1, examples=["care@your-house.example"])
    token_url: str = Field("", examples=["https://oauth2.googleapis.com/token"])
    client_id: str = Field("", examples=["1234.apps.googleusercontent.com"])
    client_secret: SecretStr = Field(SecretStr(""), examples=["the app's client secret"])
    refresh_token: SecretStr = Field(SecretStr(""), examples=["1//0g…"])
    scope: str = Field("", examples=["https://outlook.office.com/IMAP.AccessAsUser.All offline_access"])
    password: SecretStr = Field(SecretStr(""), examples=["the account's password"])
    folders: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        ("INBOX",), min_length=1, max_length=20, examples=["INBOX, Junk"]
    )
    mailbox: str = Field("", examples=["care@your-house.example"])
    since: date | None = Field(None, examples=["2026-11-01"])
    move_to: str = Field("", max_length=200, examples=["Filed"])
    flag: str = Field("$Concierge", examples=["\\Flagged"])
    poll_seconds: int = Field(60, ge=5, le=3600, examples=["60"])

    @field_validator("tls")
    @classmethod
    def _protected(cls, value: str, info: ValidationInfo) -> str:
        if value == "none" and info.data.get("host") not in OWN_MACHINE:
            raise ValueError("sends what it is given unprotected; only a server on this machine may go without")
        return value

    @field_validator("port")
    @classmethod
    def _usual(cls, value: int, info: ValidationInfo) -> int:
        return value or (993 if info.data.get("tls") == "tls" else 143)

    @field_validator("token_url")
    @classmethod
    def _trusted(cls, value: str) -> str:
        if value and not check_web_url(value).startswith("https://"):
            host = value.removeprefix("http://").partition("/")[0].partition(":")[0]
            if host not in OWN_MACHINE:
                raise ValueError("must begin with https://")
        return value

    @field_validator("client_id")
    @classmethod
    def _named(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("token_url") and not value:
            raise ValueError("is needed with a token URL")
        return value

    @field_validator("refresh_token")
    @classmethod
    def _granted(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        own = info.data.get("client_secret")
        if info.data.get("token_url") and not value.get_secret_value() and not (own and own.get_secret_value()):
            raise ValueError(
                "is needed with a token URL; or a client secret, where the app itself may read the mailbox"
            )
        return value

    @field_validator("password")
    @classmethod
    def _admitted(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if not value.get_secret_value() and not info.data.get("token_url"):
            raise ValueError("is needed, or a token URL for a provider that takes no passwords")
        return value

    @field_validator("folders")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(each) > 200 for each in value) or len(set(value)) < len(value):
            raise ValueError("names a folder twice, or one with more than 200 letters")
        return value

    @field_validator("move_to")
    @classmethod
    def _elsewhere(cls, value: str, info: ValidationInfo) -> str:
        if value and value in info.data.get("folders", ()):
            raise ValueError("is one of the folders that are read; what is moved there would be read again")
        return value

    @field_validator("flag")
    @classmethod
    def _keepable(cls, value: str) -> str:
        if value not in SYSTEM_FLAGS and not _KEYWORD.fullmatch(value):
            raise ValueError(f"must be {', '.join(sorted(SYSTEM_FLAGS))} or one word of ASCII letters")
        return value

    def variable(self, field: str) -> str:
        """The variable a field was given by: "host" → CONCIERGE_IMAP_CARE_HOST."""
        return f"{PREFIX}{self.name.upper()}_{field.upper()}"


FIELDS = tuple(name for name in ImapAccount.model_fields if name != "name")
_LONGEST_FIRST = sorted(FIELDS, key=len, reverse=True)


def read_accounts(given: Mapping[str, str | None]) -> tuple[tuple[ImapAccount, ...], list[str]]:
    """The accounts among these variables, and a line for each mistake: the variable, what is wrong, an example."""
    accounts, faults = [], []
    for name, fields in sorted(_by_account(given).items()):
        try:
            accounts.append(ImapAccount(name=name, **fields))
        except ValidationError as error:
            faults += _faults(name, error)
    return tuple(accounts), faults


def split_variable(variable: str) -> tuple[str, str] | None:
    """The account and the field a variable is about: CONCIERGE_IMAP_CARE_HOST → ("care", "host"); None if none."""
    rest = variable.upper().removeprefix(PREFIX) if variable.upper().startswith(PREFIX) else ""
    for field in _LONGEST_FIRST:
        account = rest.removesuffix(f"_{field.upper()}")
        if account != rest and _NAME.fullmatch(account) and len(account) <= 40:
            return account.lower(), field
    return None


def possible_variables(given: Mapping[str, str | None]) -> list[str]:
    """Every variable the accounts among these could have."""
    return [f"{PREFIX}{name.upper()}_{field.upper()}" for name in _by_account(given) for field in FIELDS]


def _by_account(given: Mapping[str, str | None]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for variable, value in given.items():
        if (names := split_variable(variable)) and value:
            account, field = names
            found.setdefault(account, {})[field] = value
    return found


def _faults(name: str, error: ValidationError) -> list[str]:
    lines = []
    for fault in error.errors(include_input=False):
        field = str(fault["loc"][0])
        message = "is needed" if fault["type"] == "missing" else fault["msg"].removeprefix("Value error, ")
        examples = ImapAccount.model_fields[field].examples or [""]
        lines.append(f"{PREFIX}{name.upper()}_{field.upper()}: {message[0].lower()}{message[1:]}, e.g. {examples[0]}")
    return lines
