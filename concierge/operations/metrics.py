"""The figures at /metrics, in Prometheus's text format, made anew at each visit from what the database knows."""

from collections.abc import Iterable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from concierge import copies, setbacks
from concierge.operations import queries
from concierge.operations.state import Seen
from concierge.operations.watch import State

CONTENT_TYPE = CONTENT_TYPE_LATEST


def expose(state: State, session: Session) -> bytes:
    """All figures; none names a person."""
    registry = CollectorRegistry()
    registry.register(_Figures(state, session))
    return generate_latest(registry)


class _Figures(Collector):
    """What is known at one moment."""

    def __init__(self, state: State, session: Session) -> None:
        self._state = state
        self._filings, self._sendings = queries.last_filings(session), queries.last_sendings(session)
        self._troubled, self._set_aside = queries.count_troubled(session, state.now), setbacks.count_set_aside(session)
        self._alive = [copy for copy in state.copies if copy.is_alive(state.now, copies.SILENCE)]

    def collect(self) -> Iterable[Metric]:
        """As the registry asks for them."""
        yield self._ready()
        yield from self._queues()
        yield _quantiles("concierge_filing_seconds", "From a mail's arrival to its filing, the last 200", self._filings)
        yield _quantiles("concierge_sending_seconds", "From due to taken by the provider, the last 200", self._sendings)
        alive = GaugeMetricFamily("concierge_worker_copies", "Copies of the worker that live")
        alive.add_metric([], len(self._alive))
        yield alive
        yield self._troubles()
        aside = GaugeMetricFamily("concierge_set_aside", "Rows a job failed at three times, which wait for an admin")
        aside.add_metric([], self._set_aside)
        yield aside
        yield from self._jobs()

    def _ready(self) -> Metric:
        ready = GaugeMetricFamily("concierge_ready", "1 when nothing is wrong, as /readyz says it")
        ready.add_metric([], float(not self._state.faults))
        return ready

    def _queues(self) -> Iterable[Metric]:
        ages = GaugeMetricFamily("concierge_queue_age_seconds", "How long the oldest has waited", labels=["queue"])
        waiting = GaugeMetricFamily("concierge_queue_waiting", "How many wait, counted up to 1000", labels=["queue"])
        for queue in self._state.queues:
            ages.add_metric([queue.name], queue.age(self._state.now))
            waiting.add_metric([queue.name], queue.waiting)
        return ages, waiting

    def _troubles(self) -> Metric:
        words = "Mails due in the last 24 hours that did not arrive, or of which nobody knows"
        family = GaugeMetricFamily("concierge_deliveries_troubled", words, labels=["state"])
        for state, count in self._troubled.items():
            family.add_metric([state], count)
        return family

    def _jobs(self) -> Iterable[Metric]:
        """Counters of each copy; they begin anew with it, as Prometheus expects of counters."""
        labels = ["copy", "job"]
        families = {
            "runs": CounterMetricFamily("concierge_job_runs", "Runs of a job", labels=labels),
            "failures": CounterMetricFamily("concierge_job_failures", "Runs that failed", labels=labels),
            "done": CounterMetricFamily("concierge_job_done", "Rows done, for deliver_… mails taken", labels=labels),
            "seconds": CounterMetricFamily("concierge_job_seconds", "Time spent in runs", labels=labels),
        }
        last = GaugeMetricFamily("concierge_job_last_run_seconds", "How long the last run took", labels=labels)
        for copy in self._alive:
            for job, run in copy.lines.items():
                for key, family in families.items():
                    family.add_metric([_name(copy), job], float(run.get(key, 0)))
                last.add_metric([_name(copy), job], float(run.get("took", 0)))
        return (*families.values(), last)


def _name(copy: Seen) -> str:
    return f"{copy.host}:{copy.pid}"


def _quantiles(name: str, words: str, values: Sequence[float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=["quantile"])
    ordered = sorted(values)
    for share in (0.5, 0.99):
        if ordered:
            family.add_metric([str(share)], ordered[min(int(len(ordered) * share), len(ordered) - 1)])
    return family
