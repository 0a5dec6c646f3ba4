"""A pretend OpenID Connect issuer on 127.0.0.1: it signs in whoever it is told to, by the code flow, and checks what it is sent."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "relance", "a secret of the issuer"


class Issuer:
    """Who is signed in, what was asked."""

    def __init__(self, address: str, person: dict[str, Any]) -> None:
        self.address, self.person = address, person
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.codes: dict[str, dict[str, str]] = {}
        self.complaints: list[str] = []

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "jwks_uri": f"{self.address}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """The address to go back to, with a code."""
        if asked.get("client_id") != CLIENT or asked.get("response_type") != "code" or not asked.get("state"):
            self.complaints.append(f"authorize: {asked}")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, told: dict[str, str], basic: str) -> dict[str, Any] | None:
        """Tokens for a code, once; None when something is wrong."""
        asked = self.codes.pop(told.get("code", ""), None)
        given = basic or f"{told.get('client_id')}:{told.get('client_secret')}"
        if asked is None or given != f"{CLIENT}:{SECRET}" or told.get("redirect_uri") != asked["redirect_uri"]:
            self.complaints.append(f"token: {told}")
            return None
        if "code_challenge" in asked:
            digest = hashlib.sha256(told.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
                self.complaints.append("token: the code verifier does not fit")
                return None
        claims = {"iss": self.address, "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 300}
        signed = jwt.encode({**claims, **self.person}, self.key, algorithm="RS256", headers={"kid": "one"})
        return {"access_token": "opens-userinfo", "token_type": "Bearer", "expires_in": 300, "id_token": signed}


@contextmanager
def issuer_for(person: dict[str, Any]) -> Iterator[Issuer]:
    """The issuer, running on a free port for as long as it is needed."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            match parts.path:
                case "/.well-known/openid-configuration":
                    self._json(issuer.discovery())
                case "/authorize":
                    self.send_response(302)
                    self.send_header("Location", issuer.authorize(asked))
                    self.end_headers()
                case "/userinfo" if self.headers.get("Authorization") == "Bearer opens-userinfo":
                    self._json(issuer.person)
                case "/keys":
                    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(issuer.key.public_key()))
                    self._json({"keys": [{**public, "kid": "one", "alg": "RS256", "use": "sig"}]})
                case _:
                    self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            told = {name: values[0] for name, values in parse_qs(body).items()}
            header = self.headers.get("Authorization", "")
            basic = base64.b64decode(header[6:]).decode() if header.startswith("Basic ") else ""
            given = issuer.token(told, basic)
            self._json(given or {"error": "invalid_grant"}, 200 if given else 400)

        def _json(self, content: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}", person)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
