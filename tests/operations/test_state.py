"""When the house is not as it should be, and when it is."""

from datetime import timedelta

from concierge.copies import BEAT, SILENCE
from concierge.lines import QUIET_SECONDS
from concierge.operations.state import Kind, Queue, Seen, Unread, find_faults
from concierge.operations.timetable import merge_lines
from concierge.operations.watch import LOOK_SECONDS
from tests.factories import DAY, MINUTE, NOW

SECOND = timedelta(seconds=1)


def seen(ago: timedelta = SECOND, *, number: int = 1, **values: object) -> Seen:
    return Seen(number, "atelier", 4711, "0.1.0", NOW - DAY, NOW - ago, **values)


def faults(*copies: Seen, queues: tuple[Queue, ...] = ()) -> list[tuple[Kind, str]]:
    found = find_faults(copies, queues, now=NOW, silence=SILENCE, patience=5 * MINUTE)
    assert all(each.sentence for each in found)
    return [(each.kind, each.what) for each in found]


def test_all_is_well_while_one_copy_lives():
    assert faults(seen()) == []
    assert faults(seen(), seen(DAY, number=2)) == [], "another that died long ago is no matter"


def test_a_house_without_a_worker_says_so():
    assert faults() == [(Kind.NO_WORKER, "")]


def test_a_dead_worker_is_known_before_half_a_minute_has_passed():
    assert faults(seen(SILENCE)) == []
    assert faults(seen(SILENCE + SECOND)) == [(Kind.SILENT, "")]
    assert timedelta(seconds=26) > SILENCE + 4 * SECOND, "with the time between two looks"


def test_what_a_copy_said_before_its_clock_was_set_back_counts_for_nothing():  # F15
    assert faults(seen(-DAY)) == [(Kind.SILENT, "")]


def test_a_worker_that_beats_while_a_job_does_not_end_is_stuck():
    lines = {
        "inbound.file_received": {"in_hand": 58.0, "limit": 60.0, "still": 0.1},
        "mailing.deliver_answers": {"in_hand": None},
    }
    assert faults(seen(SECOND, lines=lines)) == []
    assert faults(seen(3 * SECOND, lines=lines)) == [(Kind.STUCK, "inbound.file_received")]


def test_a_job_that_stands_still_is_known_before_half_a_minute_has_passed():
    def beats(seconds: float, **run: object) -> list[tuple[Kind, str]]:
        lines = {"followups.release_due": {"in_hand": 40.0, "limit": 60.0, "still": seconds, **run}}
        return faults(seen(5 * SECOND, lines=lines))

    assert beats(0.2) == [], "it goes on for long, but gets on"
    assert beats(QUIET_SECONDS) == []
    assert beats(QUIET_SECONDS + 1) == [(Kind.STUCK, "followups.release_due")]
    assert beats(QUIET_SECONDS + 1, quiet=45.0) == [], "it may: it waits for a provider"
    assert timedelta(seconds=QUIET_SECONDS) + BEAT + timedelta(seconds=LOOK_SECONDS) < timedelta(seconds=30)


def test_a_mailbox_that_can_not_be_read_is_a_fault_after_a_while():
    def told(ago: timedelta) -> list[str]:
        unread = [Unread("INBOX (care)", NOW - ago)]
        found = find_faults([seen()], [], unread, now=NOW, silence=SILENCE, patience=5 * MINUTE)
        return [each.sentence for each in found]

    assert told(5 * MINUTE) == []
    assert told(6 * MINUTE) == ["mailbox: INBOX (care) has not been readable for 360 s"]


def test_a_provider_that_is_away_is_a_fault_after_a_while():
    away = {"name": "smtp", "away_since": (NOW - 4 * MINUTE).isoformat()}
    assert faults(seen(provider=away)) == []
    away["away_since"] = (NOW - 6 * MINUTE).isoformat()
    assert faults(seen(provider=away)) == [(Kind.PROVIDER, "smtp")]


def test_what_waits_for_too_long_is_a_fault_how_many_ever_wait():
    many, old = Queue("mail", 1000, NOW - MINUTE), Queue("deliveries", 1, NOW - 6 * MINUTE)
    assert faults(seen(), queues=(many, old, Queue("answers", 0, None))) == [(Kind.BACKLOG, "deliveries")]
    dripping = Queue("follow-ups", 300, NOW - 90 * MINUTE, moved_at=NOW - MINUTE / 2)
    assert faults(seen(), queues=(dripping,)) == [], "it leaves little by little, as it should"
    stands = Queue("follow-ups", 300, NOW - 90 * MINUTE, moved_at=NOW - 80 * MINUTE)
    assert faults(seen(), queues=(stands,)) == [(Kind.BACKLOG, "follow-ups")]


def test_one_timetable_is_made_of_what_all_copies_say():
    def run(minute: int, **values: object) -> dict[str, object]:
        at = (NOW + minute * MINUTE).isoformat()
        return {"every": 10, "at": at, "did_at": at, "did": minute, "runs": 3, "failures": 1} | values

    copies = (seen(lines={"a": run(1), "b": run(5)}), seen(number=2, lines={"a": run(2, fault="OSError")}))
    first, second = merge_lines(copies)
    assert (first.job, first.at, first.did, first.runs, first.failures, first.fault) == (
        "a", NOW + 2 * MINUTE, 2, 6, 2, "OSError",
    )  # fmt: skip
    assert (second.job, second.runs) == ("b", 3)
