"""What the code of a consent is worth: redeemed once, by its app, with the word only the app knows."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from relance.sandbox.errors import OAuthRefused
from relance.sandbox.org import Org
from relance.sandbox.sessions import App, Code
from relance.sandbox.soql_dates import stamp


def redeemed_code(org: Org, app: App, form_: Mapping[str, str]) -> Code:
    """The code, which can be redeemed once: by its app, from where it was sent, with the word only the app knows."""
    code = org.sessions.take_code(form_.get("code", ""))
    if code is None or code.client_id != app.client_id or code.ends_at < stamp(org.clock()):
        raise OAuthRefused("invalid_grant", "expired authorization code")
    if code.redirect_uri != form_.get("redirect_uri", ""):
        raise OAuthRefused("redirect_uri_mismatch", "redirect_uri must match configuration")
    if code.challenge and not hmac.compare_digest(
        challenge_of(form_.get("code_verifier", "")), code.challenge.rstrip("=")
    ):
        raise OAuthRefused("invalid_grant", "invalid code verifier")
    return code


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
