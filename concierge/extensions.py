"""The Flask extensions, made here and bound to the application in `app.create_app`; and the house a request is for."""

from typing import cast

from flask import current_app
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_security import Security
from flask_sqlalchemy_lite import SQLAlchemy
from flask_wtf import CSRFProtect

from concierge.blobs import BlobStore
from concierge.config import Config

db = SQLAlchemy(session_options={"expire_on_commit": False})
babel = Babel()
csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address, storage_uri="memory://", headers_enabled=False)
security = Security()


def house_config() -> Config:
    """The configuration of the house this request or command is for."""
    return cast(Config, current_app.extensions["concierge"])


def house_blobs() -> BlobStore:
    """The blobs of the same house."""
    return cast(BlobStore, current_app.extensions["blobs"])
