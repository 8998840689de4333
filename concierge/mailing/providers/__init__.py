"""The carriers mail leaves by."""

from concierge.config import Config
from concierge.mailing.providers.base import Provider
from concierge.mailing.providers.folder import FolderProvider
from concierge.mailing.providers.memory import MemoryProvider
from concierge.mailing.providers.sendgrid import SendGridProvider
from concierge.mailing.providers.smtp import SmtpProvider


def open_provider(config: Config) -> Provider:
    """The carrier the house has chosen; raises Misconfigured."""
    if config.provider == "sendgrid":
        return SendGridProvider(config.sendgrid_api_key.get_secret_value(), config.sendgrid_url)
    if config.provider == "smtp":
        return SmtpProvider(config.smtp_url.get_secret_value())
    if config.provider == "memory":
        return MemoryProvider()
    return FolderProvider(config.outbox or config.data / "outbox")
