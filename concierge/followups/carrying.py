"""How a plan is carried on: a fact begins a run, and each step becomes a follow-up when the one before it has left."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from concierge import audit
from concierge.accounts.models import Editor
from concierge.catalogue import queries as catalogue
from concierge.config import Policy
from concierge.conversations.models import Conversation
from concierge.drafts import body
from concierge.drafts.filling import Chosen, alternatives_for, fill_words
from concierge.drafts.queries import language_of, product_words
from concierge.errors import ConciergeError
from concierge.followups import queries
from concierge.followups.commands import reckoned_from, require_words
from concierge.followups.conditions import Because, opening
from concierge.followups.holding import hold_her_still
from concierge.followups.models import FollowUp, FollowUpState
from concierge.followups.plan_facts import Fact, list_facts
from concierge.followups.plan_models import Plan, PlanRun, PlanStep
from concierge.followups.plans import Start, next_place, wall_of_step, window_of
from concierge.templating.check import needs_of, speaks_of
from concierge.templating.models import TemplateVersion

# Follow-ups of one conversation that would leave in the same minute leave a minute apart.
_APART = timedelta(minutes=1)
_MOST_APART = 60


def begin_run(session: Session, plan_id: int, fact: Fact, *, policy: Policy, now: datetime) -> PlanRun | None:
    """A fact begins a plan, once, whoever sees it first; None when it did already, or is true no more.

    A run that can't go anywhere (she is in this plan already, her editor is gone) is written down and ended.
    """
    conversation = hold_her_still(session, fact.conversation_id)
    plan = session.get(Plan, plan_id, populate_existing=True)
    if plan is None or fact not in list_facts(session, plan, now=now, house=policy.zone, only=fact.id):
        return None
    return start_run(session, plan, conversation, fact, plan.start, by=None, policy=policy, now=now)


def start_run(
    session: Session,
    plan: Plan,
    conversation: Conversation,
    fact: Fact,
    start: Start,
    *,
    by: Editor | None,
    policy: Policy,
    now: datetime,
) -> PlanRun | None:
    """Write down a run and plan its first step; None when another has begun it. She is held still.

    What she did since the fact is news, however late the run begins.
    """
    editor = by or (conversation.editor if conversation.editor and conversation.editor.may_answer else None)
    since = fact.since_at or fact.at
    run = PlanRun(
        plan=plan,
        start=start,
        fact_id=fact.id,
        fact_mark=fact.mark,
        fact_at=fact.at,
        sku=fact.sku,
        customer_id=conversation.customer_id,
        conversation=conversation,
        editor=editor,
        since_message_id=fact.since_message_id
        or queries.newest_of_hers(session, conversation.customer_id, until=since),
        begun_at=now,
        begun_by_id=by.id if by else None,
    )
    if find_living(session, plan.id, conversation.customer_id) is not None:
        run.end(Because.OVERLAPS, now=now)
    elif editor is None:
        run.end(Because.EDITOR_GONE, now=now)
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError:
        return None
    if run.is_living:
        audit.record(session, "plan.begun", conversation, by=by, now=now, plan=plan.name, run=run.id)
        plan_next(session, run, None, since=since, policy=policy, now=now)
    else:
        details = {"plan": plan.name, "run": run.id, "because": run.because.value if run.because else ""}
        audit.record(session, "plan.not_begun", conversation, by=by, now=now, **details)
    return run


def find_living(session: Session, plan_id: int, customer_id: int) -> PlanRun | None:
    """Her run of this plan that is under way."""
    living = (PlanRun.plan_id == plan_id, PlanRun.customer_id == customer_id, PlanRun.ended_at.is_(None))
    return session.scalar(sa.select(PlanRun).where(*living))


def go_on(session: Session, follow_up_id: int, *, policy: Policy, now: datetime) -> bool:
    """What becomes of a run now that a mail of it has left, or has not; False when another has seen to it."""
    uncarried = (FollowUp.state != FollowUpState.SCHEDULED, FollowUp.carried_at.is_(None))
    found = sa.select(FollowUp).where(FollowUp.id == follow_up_id, *uncarried)
    follow_up = session.scalar(found.with_for_update(skip_locked=True, of=FollowUp))
    if follow_up is None or follow_up.plan_run_id is None:
        return False
    follow_up.carried_at = now
    run = session.scalars(
        sa.select(PlanRun).where(PlanRun.id == follow_up.plan_run_id).with_for_update(of=PlanRun)
    ).one()
    if run.is_living and follow_up.state is FollowUpState.SENT:
        plan_next(session, run, follow_up, since=follow_up.since_at, policy=policy, now=now)
    elif run.is_living:
        end_run(session, run, follow_up.because, now=now)
    return True


def end_run(
    session: Session, run: PlanRun, because: Because | None, *, by: Editor | None = None, now: datetime
) -> None:
    """It says no more to her, for this reason or because it has said all; the conversation's history tells."""
    run.end(because, now=now)
    details = {"plan": run.plan.name, "run": run.id, "because": because.value if because else ""}
    audit.record(session, "plan.ended", run.conversation, by=by, now=now, **details)


def plan_next(
    session: Session, run: PlanRun, before: FollowUp | None, *, since: datetime, policy: Policy, now: datetime
) -> None:
    """Plan the step behind `before` as a follow-up, with the words as they are now; end the run when there is none.

    What she has had is not said again when an admin has put it further back since.
    It counts its days from when the one before it left; what she did after `since` is news to it.
    """
    had = set(session.scalars(sa.select(FollowUp.plan_step_id).where(FollowUp.plan_run_id == run.id)))
    to_come = {each.place: each for each in run.plan.steps if each.id not in had}
    place = next_place(to_come, _place(before))
    step = None if place is None else to_come[place]
    if step is None:
        end_run(session, run, None, now=now)
        return
    try:
        version, words = _words(session, run, step)
    except ConciergeError:
        end_run(session, run, Because.HOLE, now=now)
        return
    follow_up = _follow_up(run, step, before, version, words, since=since, policy=policy, now=now)
    _add(session, follow_up)
    audit.record(
        session, "follow_up.scheduled", run.conversation, by=None, now=now, follow_up=follow_up.id,
        due_at=follow_up.due_at.isoformat(), plan=run.plan.name,
    )  # fmt: skip


def _place(before: FollowUp | None) -> int | None:
    return before.plan_step.place if before is not None and before.plan_step is not None else None


def _follow_up(
    run: PlanRun,
    step: PlanStep,
    before: FollowUp | None,
    version: TemplateVersion,
    words: str,
    *,
    since: datetime,
    policy: Policy,
    now: datetime,
) -> FollowUp:
    assert run.editor is not None
    conversation = run.conversation
    customer = conversation.customer
    zone = queries.her_clock(customer, policy.zone).zone
    anchor = before.settled_at if before is not None and before.settled_at is not None else run.fact_at
    wall = wall_of_step(anchor, step.wait_days, zone)
    kindness = queries.kindness_of(policy)
    window = window_of(step.window, kindness.window)
    return FollowUp(
        conversation=conversation,
        editor=run.editor,
        planned_at=now,
        since_message_id=before.since_message_id if before is not None else run.since_message_id,
        since_at=since,
        wall=wall,
        is_named=False,
        due_at=opening(wall, zone, customer.country, window, is_named=False, closing=kindness.closing),
        reckoned_from=reckoned_from(customer),
        body=words,
        language=version.language,
        template_version_id=version.id,
        needs_yes=step.needs_yes,
        plan_run=run,
        plan_step=step,
    )


def _words(session: Session, run: PlanRun, step: PlanStep) -> tuple[TemplateVersion, str]:
    """The wording of a step, filled by the composer's own rendering, as a canonical body.

    Raises what that raises, NothingSaid, HoleInWords.
    """
    assert run.editor is not None
    version = step.template.version_for(language_of(run.conversation))
    sku = run.sku or (_guess(session, run.conversation, version) if step.needs_yes else "")
    others = alternatives_for(session, version, sku) if sku else []
    chosen = Chosen(sku or None, others[0].sku if others else None)
    text, _subject = fill_words(session, run.conversation, run.editor, version, chosen)
    words = body.from_text(text)
    require_words(words)
    return version, words


def _guess(session: Session, conversation: Conversation, version: TemplateVersion) -> str:
    """The piece her subject seems to speak of: good enough for a draft that an editor reads before it leaves."""
    texts = (version.subject, version.body)
    if not (needs_of(*texts) or speaks_of("alternative", *texts)):
        return ""
    words = product_words(session, conversation)
    found = catalogue.search_variants(session, words, limit=1) if words else []
    return found[0].sku if found else ""


def _add(session: Session, follow_up: FollowUp) -> None:
    follow_up.wall = beside_others(session, follow_up, follow_up.wall)
    session.add(follow_up)
    session.flush()


def beside_others(session: Session, follow_up: FollowUp, wall: datetime) -> datetime:
    """`wall`, or a minute later where another of this conversation and editor stands."""
    taken = set(
        session.scalars(
            sa.select(FollowUp.wall).where(
                FollowUp.conversation_id == follow_up.conversation.id,
                FollowUp.editor_id == follow_up.editor.id,
                FollowUp.state == FollowUpState.SCHEDULED,
            )
        )
    )
    while wall in taken:
        wall += _APART
    return wall
