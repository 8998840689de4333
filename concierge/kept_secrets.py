"""Secrets nobody configured: made on first use, and kept in a file only we can read."""

import contextlib
import secrets
from pathlib import Path


def kept_secret(path: Path) -> str:
    """The secret in `path`, made on first use and readable by us only; two first users read the same one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(48) + "\n", encoding="ascii")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(part)
        part.unlink()
    return path.read_text(encoding="ascii").strip()
