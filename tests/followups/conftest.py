"""Nadia, and her conversation with Barbara, in tests of follow-ups and plans."""

import pytest

from tests.factories import HOUR, NOW, make_editor
from tests.followups.builders import answered


@pytest.fixture
def nadia(session, at):
    nadia = make_editor(session)
    session.commit()
    return nadia


@pytest.fixture
def talk(session, nadia):
    found = answered(session, nadia, at=NOW - HOUR)
    session.commit()
    return found
