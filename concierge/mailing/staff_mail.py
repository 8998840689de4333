"""The mails Flask-Security writes to staff, as letters of the house in the queue."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import current_app
from flask_security import MailUtil, url_for_security

from concierge import clock
from concierge.accounts.models import Editor
from concierge.accounts.queries import list_mailboxes
from concierge.addresses import Address
from concierge.config import Config
from concierge.extensions import db, house_config
from concierge.mailing import commands
from concierge.mailing.letters import Letter, render_letter
from concierge.mailing.mail import Mail


class StaffMail(MailUtil):
    """Queues a delivery instead of sending; the worker does the rest.

    An edge: Flask-Security's view does not commit, so this does.
    """

    def send_mail(  # noqa: PLR0917 - Flask-Security's signature
        self,
        template: str,
        subject: str,
        recipient: str | tuple[str, str],
        sender: object,
        body: str | None,
        html: str | None,
        **context: Any,
    ) -> None:
        """Queue the mail `template` for a colleague: a new password by our letter, anything else as it comes."""
        editor: Editor = context["user"]
        house = _house_address(house_config())
        if template.endswith("reset_instructions"):
            letter = _password_letter(editor, house.name, str(context["reset_token"]))
        else:
            letter = Letter(str(subject), body or str(subject), html or "")
        mail = Mail(
            sender=house,
            to=Address(editor.name, editor.email),
            subject=letter.subject,
            text=letter.text,
            html=letter.html or None,
            message_id=f"<{uuid4().hex}@{house.domain}>",
            headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
        )
        commands.queue_delivery(db.session, mail, key=f"staff:{uuid4().hex}", purpose="staff", now=clock.now())
        db.session.commit()

    def validate(self, email: str) -> str:
        """The normal form of an address, by its syntax alone: no page of ours waits for somebody's name server."""
        return str(self.normalize(email))


def _password_letter(editor: Editor, house: str, token: str) -> Letter:
    config = house_config()
    within: timedelta = current_app.config["SECURITY_RESET_PASSWORD_WITHIN"]
    # Never the Host header of the request: whoever asks could put his own machine there and be sent the token.
    link = config.base_url + url_for_security("reset_password", token=token)
    hours = max(1, round(within / timedelta(hours=1)))
    return render_letter("password_reset", editor.language, house=house, name=editor.first_name, link=link, hours=hours)


def _house_address(config: Config) -> Address:
    """The house's first mailbox; before there is one, an address at the machine's own name."""
    mailboxes = list_mailboxes(db.session, active_only=True)
    if mailboxes:
        return Address(mailboxes[0].brand, mailboxes[0].address)
    host = config.base_url.partition("://")[2].partition("/")[0].partition(":")[0]
    return Address("Concierge", f"concierge@{host}")
