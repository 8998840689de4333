"""The carriers mail leaves by."""

from concierge.config import Config
from concierge.mailing.dkim import read_signer
from concierge.mailing.providers.base import Provider
from concierge.mailing.providers.folder import FolderProvider
from concierge.mailing.providers.memory import MemoryProvider
from concierge.mailing.providers.sendgrid import SendGridProvider
from concierge.mailing.providers.smtp import SmtpProvider

_open: dict[str, Provider] = {}


def open_provider(config: Config) -> Provider:
    """A new carrier as the house has chosen it; raises NoSigningKey."""
    seconds = float(config.policy.send_timeout_seconds)
    if config.provider == "sendgrid":
        return SendGridProvider(config.sendgrid_api_key.get_secret_value(), config.sendgrid_url, seconds=seconds)
    if config.provider == "smtp":
        signer = read_signer(config.dkim_key, config.dkim_selector) if config.dkim_key else None
        return SmtpProvider(config.smtp_url.get_secret_value(), seconds=seconds, signer=signer)
    if config.provider == "memory":
        return MemoryProvider()
    return FolderProvider(config.outbox or config.data / "outbox")


def fallback_for(config: Config) -> Provider | None:
    """The carrier for when the first one is away, if the house has one; shared like it."""
    return provider_for(config.model_copy(update={"provider": config.fallback})) if config.fallback else None


def provider_for(config: Config) -> Provider:
    """The carrier this process shares, so that connections stay open from one run of a job to the next."""
    secrets = (config.smtp_url.get_secret_value(), config.sendgrid_api_key.get_secret_value())
    mark = repr((config.provider, config.data, config.outbox, config.sendgrid_url, config.dkim_key, *secrets))
    if mark not in _open:
        _open[mark] = open_provider(config)
    return _open[mark]
