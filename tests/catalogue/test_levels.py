"""Reports in any order, repeated or lost, against the plainest model there is: sort them, and count."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from concierge.catalogue.levels import Known, Mark, Report, Verdict, weigh
from concierge.catalogue.stock_models import StockEventState, StockReport
from tests.factories import NOW

Told = tuple[int, StockReport, int]


def books(told: list[Told], *, versions: bool = False) -> int:
    """What stock.report_stock does, with a list for the table of events."""
    known, seen, applied = Known(), set(), []
    for number, kind, units in told:
        if number in seen:
            continue
        seen.add(number)
        as_of = NOW + timedelta(minutes=number)
        report = Report("shop", str(number), "S", "L", kind, units, as_of, version=number if versions else None)
        since = sum(more for at, more in applied if at > number) if kind is StockReport.SNAPSHOT else 0
        verdict = weigh(report, known, moved_since=since, jump=None)
        known = verdict.known
        if verdict.state is StockEventState.APPLIED and kind is StockReport.DELTA:
            applied.append((number, units))
    return known.on_hand


def model(told: list[Told]) -> int:
    balance = 0
    for _number, kind, units in sorted(set(told)):
        balance = units if kind is StockReport.SNAPSHOT else balance + units
    return max(0, balance)


reports = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(StockReport),
        st.integers(-4, 9),
    ).filter(lambda told: told[1] is StockReport.DELTA or told[2] >= 0),
    unique_by=lambda told: told[0],
    max_size=10,
)


@settings(max_examples=120, deadline=None)
@given(reports, st.randoms(use_true_random=False), st.booleans())
def test_reports_shuffled_and_repeated_end_as_they_were_meant(told, random, versions) -> None:
    arriving = told * 2
    random.shuffle(arriving)
    assert books(arriving, versions=versions) == model(told)


@settings(max_examples=40, deadline=None)
@given(reports, st.data())
def test_a_full_count_mends_whatever_was_lost(told, data) -> None:
    arriving = [each for each in told if data.draw(st.booleans())]
    assert books([*arriving, (99, StockReport.SNAPSHOT, 3)]) == 3


def test_the_model_sees_books_that_add_as_they_hear() -> None:
    """The negative control: a snapshot that is simply taken as it comes would be seen."""
    told = [(2, StockReport.SNAPSHOT, 1), (1, StockReport.SNAPSHOT, 5)]
    naive = told[-1][2]
    assert naive != model(told) == books(told)


def _weigh(units: int, known: Known, *, approved: bool = False) -> Verdict:
    report = Report("shop", "1", "S", "L", StockReport.SNAPSHOT, units, NOW, approved=approved)
    return weigh(report, known, moved_since=0, jump=50)


def test_a_jump_is_more_than_the_house_expects_up_or_down() -> None:
    known = Known(Mark(NOW - timedelta(days=1)), 60)
    assert _weigh(110, known).state is StockEventState.APPLIED
    assert _weigh(111, known).state is StockEventState.WAITING
    assert _weigh(9, known).state is StockEventState.WAITING
    assert _weigh(9, known, approved=True).state is StockEventState.APPLIED
