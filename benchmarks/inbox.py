"""The inbox page, beside an empty Flask page that reads the same fifty rows by key and shows nothing."""

from collections.abc import Iterator

from flask import Flask
from flask.testing import FlaskClient

from benchmarks.filling import PASSWORD
from benchmarks.measuring import Figure, Place, milliseconds
from concierge.app import create_app
from concierge.extensions import db

HOUSES = ("small", "large")
INBOX = "/?folder=open"
_KEYSET = (
    "SELECT id, subject, first_line, waiting_since FROM conversation "
    "WHERE state = 'open' AND waiting_since IS NOT NULL ORDER BY waiting_since, id LIMIT 50"
)


def measure(place: Place) -> Iterator[Figure]:
    """Two figures, the median and the 95th percentile, of the whole page through Flask, Nadia signed in."""
    app = create_app(place.config)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    answer = client.post("/sign-in", data={"email": "nadia@maison.example", "password": PASSWORD})
    assert answer.status_code == 302, answer.status_code
    page = client.get(INBOX)
    assert page.status_code == 200
    assert page.get_data().count(b"About order") >= 50
    ours, bare = milliseconds(place, lambda: _get(client, INBOX), _Bare(place), 100)
    words = "an empty Flask page that reads 50 rows by key"
    yield Figure("inbox page, median", place.size, ours.middle, bare.middle, "ms", words, ours.waited)
    yield Figure("inbox page, 95th percentile", place.size, ours.slow, bare.slow, "ms", words)
    with app.app_context():
        db.engine.dispose()


def _get(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


class _Bare:
    """Flask and the query, and nothing between them."""

    def __init__(self, place: Place) -> None:
        """An application with one page."""
        engine = place.sessions.kw["bind"]
        app = Flask(__name__)

        @app.get("/")
        def page() -> str:
            connection = engine.raw_connection()
            cursor = connection.cursor()
            cursor.execute(_KEYSET)
            rows = cursor.fetchall()
            connection.close()
            return str(len(rows))

        self._client = app.test_client()

    def __call__(self) -> None:
        assert self._client.get("/").status_code == 200
