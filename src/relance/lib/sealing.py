"""Secrets at rest: sealed with the newest key, opened with any of them, so that keys can be rotated."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class KeyIsGone(Exception):
    """A secret was sealed with a key that is no longer given: whoever runs the server must give the old key back."""


class Sealer:
    """Seals and opens short texts. A sealed text tells the key it was sealed with: `<key id>:<token>`."""

    def __init__(self, keys: list[str]) -> None:
        if not keys:
            raise ValueError("At least one secret key is needed.")
        self._fernets = {key_id(key): Fernet(_fernet_key(key)) for key in keys}
        self._multi = MultiFernet(list(self._fernets.values()))
        self.newest = key_id(keys[0])

    def seal(self, text: str) -> str:
        return f"{self.newest}:{self._multi.encrypt(text.encode()).decode()}"

    def open(self, sealed: str) -> str:
        """The text. KeyIsGone when no key given opens it."""
        name, _, token = sealed.partition(":")
        try:
            return self._multi.decrypt(token.encode()).decode()
        except InvalidToken:
            raise KeyIsGone(
                f"A secret was sealed with key {name}, which is not among RELANCE_SECRET_KEYS ({', '.join(self._fernets)}). "
                "The secret is kept as it is. Put the old key back after the new one, then start again."
            ) from None

    def is_current(self, sealed: str) -> bool:
        """Was it sealed with the newest key?"""
        return sealed.partition(":")[0] == self.newest


def key_id(key: str) -> str:
    """A short public name of a key."""
    return hashlib.sha256(b"key:" + key.encode()).hexdigest()[:8]


def read_or_make_key(path: Path) -> str:
    """The key in the file; a new one, readable by its owner alone, when there is none."""
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_urlsafe(48)
    try:
        with open(path, "x", encoding="ascii", opener=_private) as file:
            file.write(key + "\n")
    except FileExistsError:  # another process made it meanwhile
        return path.read_text(encoding="ascii").strip()
    return key


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _fernet_key(key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"seal:" + key.encode()).digest())
