"""For any WSGI server: `gunicorn wsgi:app`; `concierge web` does the same with our settings."""

from concierge.app import create_app

app = create_app()
