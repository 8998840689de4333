"""The web pages under gunicorn: two processes of many threads, because live pages keep a thread each."""

import gc
import logging
import os
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger as GunicornLog
from gunicorn.workers.gthread import ThreadWorker

from concierge import lifeline
from concierge.app import create_app
from concierge.config import Config
from concierge.web import live

PROCESSES = 2
THREADS = 64


class PageWorker(ThreadWorker):  # type: ignore[misc]
    """A process that serves pages; told to stop, it lets go of live pages first, which would otherwise hold it up."""

    def handle_exit(self, sig: int, frame: object) -> None:
        """SIGTERM: begin to stop."""
        live.stop_all()
        super().handle_exit(sig, frame)


class HouseLog(GunicornLog):  # type: ignore[misc]
    """What gunicorn has to say goes where all else goes, written in the same way."""

    def setup(self, cfg: object) -> None:
        """Keep none of gunicorn's own files and formats."""
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)


def settled(app: Flask) -> Flask:
    """Once all is there that stays as long as the process: a look through it for rubbish halts a page for 0.2 s."""
    gc.collect()
    gc.freeze()
    return app


class Pages(BaseApplication):  # type: ignore[misc]
    """Our application as gunicorn wants it."""

    def __init__(self, config: Config) -> None:
        """Serves `config.host`:`config.port`."""
        self.config = config
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings; none are read from its own files or variables."""
        settings: dict[str, Any] = {
            "bind": f"[{self.config.host}]:{self.config.port}"
            if ":" in self.config.host
            else f"{self.config.host}:{self.config.port}",
            "worker_class": PageWorker,
            "workers": PROCESSES,
            "threads": THREADS,
            "timeout": 60,
            "graceful_timeout": 20,
            "keepalive": 5,
            "logger_class": HouseLog,
            "control_socket_disable": True,
            "proc_name": "concierge",
            "post_worker_init": lambda _worker: lifeline.hold(os.getppid()),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application, once in each process."""
        return settled(create_app(self.config))


def serve_pages(config: Config) -> None:
    """Serve until told to stop by SIGTERM or SIGINT."""
    Pages(config).run()
