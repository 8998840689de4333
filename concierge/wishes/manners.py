"""Whether a letter that can wait may reach her now: within the courtesy budget, in her hours, on no holiday."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from concierge.config import Policy
from concierge.customers.courtesy import WAITS, WEEK, Courtesy, free_from
from concierge.customers.feasts import holidays_of
from concierge.customers.models import Customer
from concierge.customers.zones import zone_of
from concierge.mailing.queries import list_courteous


def may_reach_her(session: Session, customer: Customer, purpose: str, *, policy: Policy, now: datetime) -> bool:
    """Whether a letter of this purpose may be queued for her now; she is locked meanwhile, as for her follow-ups."""
    if not WAITS[purpose]:
        return True
    wall = now.astimezone(zone_of(customer.zone_name, customer.country, policy.zone))
    if not policy.courtesy_from_hour <= wall.hour < policy.courtesy_until_hour:
        return False
    if holidays_of(customer.country)(wall.date()) or policy.is_closed(now.astimezone(policy.zone).date()):
        return False
    session.execute(sa.select(Customer.id).where(Customer.id == customer.id).with_for_update()).all()
    sent = list_courteous(session, [each.normalised for each in customer.addresses], since=now - WEEK)
    courtesy = Courtesy(policy.courtesy_mails_per_week, timedelta(hours=policy.courtesy_rest_hours))
    return free_from(sent, now, courtesy) <= now
