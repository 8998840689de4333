"""What `concierge run` says once the house is open: where it is, who may come in, and what to try next."""

from sqlalchemy.orm import Session

from concierge.accounts import queries
from concierge.config import Config
from concierge.demo import house
from concierge.demo.goods import read


def welcome(session: Session, config: Config) -> str:
    """The greeting, for the demo house or for one's own."""
    lines = [
        "",
        f"  {_brand(session)} is open.",
        "",
        f"    Pages      {config.base_url}",
        f"    Mail door  {config.smtp_host}:{config.smtp_port} (SMTP)",
        "",
        *(_demo(config) if house.is_furnished(session) else _own(session)),
        "",
        "  Ctrl-C closes the house and keeps everything.",
        "",
    ]
    return "\n".join(lines)


def _brand(session: Session) -> str:
    mailboxes = queries.list_mailboxes(session, active_only=True)
    return mailboxes[0].brand if mailboxes else "Concierge"


def _demo(config: Config) -> list[str]:
    sheets = read("house")
    longest = max(len(each["email"]) for each in sheets["editor"])
    return [
        f"  Sign in with the password {sheets['password']} as",
        *(f"    {each['email']:<{longest}}  {each['title']}" for each in sheets["editor"]),
        "",
        "  Next: Barbara waits at the top of the inbox. Answer her with a template (t), then read",
        f"  your answer in her own mailbox, and write back as she would: {config.base_url}/post-office",
        "  Or write to the house from any mail program, through the mail door:",
        f"    {sheets['mailbox'][0]['address']}",
    ]


def _own(session: Session) -> list[str]:
    steps = []
    if not queries.list_editors(session, active_only=True):
        steps.append("    concierge editor add 'Your Name' you@your-house.example --role admin")
    if not queries.list_mailboxes(session, active_only=True):
        steps.append("    concierge mailbox add care@your-house.example --brand 'Your House'")
    steps.append("    concierge check")
    return ["  Next, in another terminal:", *steps]
