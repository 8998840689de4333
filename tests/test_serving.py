"""A process that serves pages, before the first page is asked for."""

import gc

import pytest

from concierge.config import Config
from concierge.serving import Pages


@pytest.fixture
def unfrozen():
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("unfrozen")
def test_what_stays_is_never_looked_through_for_rubbish_again(config: Config) -> None:
    """A full look through the application's some 250,000 objects halts every page meanwhile."""
    assert gc.get_freeze_count() == 0
    app = Pages(config).load()
    assert app.view_functions["reports.demand"]
    assert gc.get_freeze_count() > 50_000
    assert len(gc.get_objects(generation=2)) < gc.get_freeze_count() / 5
