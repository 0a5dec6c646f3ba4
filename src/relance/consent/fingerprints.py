"""The suppression list's fingerprints: keyed, so that nobody who steals the table can guess addresses back from it."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings

from relance.lib.sealing import key_id

from .audiences import normal_address


def fingerprint(address: str, key: str = "") -> str:
    """The fingerprint of an address, by the newest key."""
    secret = hashlib.sha256(b"suppress:" + (key or settings.SECRET_KEYS[0]).encode()).digest()
    return hmac.new(secret, normal_address(address).encode(), hashlib.sha256).hexdigest()


def every_fingerprint(address: str) -> list[str]:
    """By each key that is still given: what was suppressed under an old one is found after a rotation."""
    return [fingerprint(address, key) for key in settings.SECRET_KEYS]


def newest_key_id() -> str:
    return key_id(settings.SECRET_KEYS[0])
