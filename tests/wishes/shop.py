"""The shop's side of the machine: pieces come and go; its reports are heard, held up, repeated, or lost for good."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from concierge.catalogue.levels import Report
from concierge.catalogue.stock import report_stock
from concierge.catalogue.stock_models import StockReport
from concierge.config import Policy
from tests.wishes.house import House
from tests.wishes.model import in_the_books

POLICY = Policy(stock_settle_minutes=0)
SKUS = ("CAL-TUR-36", "CAL-TUR-37")
# Most steps are finished; some are thrown away after so many statements, as if the process had died there.
crashes = st.sampled_from([None] * 24 + list(range(1, 16)))
some = st.integers(0, 10**6)
moves = st.sampled_from([-3, -2, -1, -1, 1, 1, 2, 3])
# Most of what the shop says is heard at once; some is held up, some never comes.
fates = st.sampled_from(["heard", "heard", "heard", "held up", "lost"])


class ShopSide(House):
    """What is there in truth, what was heard of it, and what is on its way to us."""

    there: dict[str, int]
    heard: list[Report]
    on_their_way: list[Report]
    reports: int

    def open_shop(self) -> None:
        """Nothing is there, and nothing was said."""
        self.there = dict.fromkeys(SKUS, 0)
        self.heard, self.on_their_way, self.reports = [], [], 0

    @rule(variant=st.booleans(), moved=moves, fate=fates, crash=crashes)
    def pieces_come_and_go(self, variant: bool, moved: int, fate: str, crash: int | None) -> None:
        """The shop says how many came or went: at once, later, or the word of it is lost for good."""
        sku = SKUS[variant]
        moved = max(moved, -self.there[sku])
        if moved:
            self.there[sku] += moved
            self._send(self._told(sku, StockReport.DELTA, moved), fate, crash)

    @rule(variant=st.booleans(), fate=fates, crash=crashes)
    def the_shop_counts(self, variant: bool, fate: str, crash: int | None) -> None:
        """What is there in truth: heard at once, it heals whatever was lost before."""
        sku = SKUS[variant]
        self._send(self._told(sku, StockReport.SNAPSHOT, self.there[sku]), fate, crash)
        if fate == "heard" and crash is None:
            assert self.model.on_hand[self.variants[variant]] == self.there[sku]

    @precondition(lambda self: bool(self.on_their_way or self.heard))
    @rule(which=some, again=st.booleans(), crash=crashes)
    def a_report_comes_late(self, which: int, again: bool, crash: int | None) -> None:
        """One that was held up, in no order, or one that came before comes once more."""
        held_up = self.pick(self.on_their_way, which)
        if held_up is not None and not again:
            self._report(held_up, crash)
        elif self.heard:
            self._report(self.heard[which % len(self.heard)], crash)

    def _told(self, sku: str, kind: StockReport, units: int) -> Report:
        """A report as of now; each is of a moment of its own."""
        self.reports += 1
        as_of = self.model.now - timedelta(seconds=1) + timedelta(microseconds=self.reports)
        return Report("shop", f"{self.reports}", sku, "online", kind, units, as_of)

    def _send(self, report: Report, fate: str, crash: int | None) -> None:
        if fate == "held up":
            self.on_their_way.append(report)
        elif fate == "heard":
            self._report(report, crash)

    def _report(self, report: Report, crash: int | None) -> None:
        is_done, _ = self.attempt(
            crash, lambda session: report_stock(session, report, now=self.model.now, policy=POLICY).id
        )
        if not is_done:  # the shop sends it again
            self.on_their_way += [] if report in self.on_their_way else [report]
            return
        self.on_their_way = [each for each in self.on_their_way if each is not report]
        if report not in self.heard:
            self.heard.append(report)
        theirs = [each for each in self.heard if each.sku == report.sku]
        self.model.on_hand[self.variants[SKUS.index(report.sku)]] = in_the_books(theirs)
