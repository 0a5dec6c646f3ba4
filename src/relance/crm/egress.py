"""Where a connection may go: addresses typed by people must not reach the machines behind our own firewall.

The name is resolved here, every address it gives is weighed, and the call goes to the very address that was weighed: a name that
answers otherwise a second later changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from pathlib import Path

import httpx

from relance.crm.dialect import CrmBusy, CrmMisconfigured, Layer, Move

RESOLVED_FOR_SECONDS = 60.0


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """A TLS context for one connection: its own authority if it has one, else those of the machine."""
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as trouble:
        raise CrmMisconfigured(
            code="CA_FILE_UNREADABLE",
            message=f"{ca_file} holds no certificate authority that can be read: {trouble}",
            layer=Layer.CONNECTION,
            move=Move.RELANCE_ADMIN,
            remedy="ca_file",
        ) from trouble


class GuardedTransport(httpx.BaseTransport):
    """Sends each request to an address that was allowed, with the name it was asked for kept for TLS and for the Host header."""

    def __init__(self, *, allow_private: bool = False, ca_file: Path | None = None) -> None:
        self._allow_private = allow_private
        self._context = trusting(ca_file)
        self._resolved: dict[str, tuple[float, tuple[str, ...]]] = {}
        # One pool per name: two names at one address must not share a connection whose certificate was checked for the other.
        self._pools: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        if request.url.scheme != "https" and not self._allow_private:
            raise _refused(
                "ADDRESS_NOT_HTTPS", f"{request.url.scheme}://{name} is not encrypted", remedy="address_https"
            )
        pool = self._pools.get(name)
        if pool is None:
            pool = self._pools.setdefault(name, httpx.HTTPTransport(verify=self._context))
        addresses = self._allowed_addresses(name, request.url.port or 443)
        for address in addresses[:-1]:
            try:
                return pool.handle_request(_sent_to(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent: the next address of the same name may answer
        return pool.handle_request(_sent_to(request, addresses[-1]))

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()

    def _allowed_addresses(self, name: str, port: int) -> tuple[str, ...]:
        known = self._resolved.get(name)
        if known and time.monotonic() - known[0] < RESOLVED_FOR_SECONDS:
            return known[1]
        addresses = _resolve(name, port)
        for address in addresses:
            if not is_allowed(address, allow_private=self._allow_private):
                raise _refused(
                    "ADDRESS_NOT_PUBLIC",
                    f"{name} leads to {address}, which is inside a private network",
                    remedy="address_private",
                )
        self._resolved[name] = (time.monotonic(), addresses)
        return addresses


def is_allowed(address: str, *, allow_private: bool) -> bool:
    """Public addresses always; private and loopback ones if the setting says so; link-local ones never: clouds keep their keys there."""
    weighed = ipaddress.ip_address(address)
    if isinstance(weighed, ipaddress.IPv6Address) and weighed.ipv4_mapped:
        weighed = weighed.ipv4_mapped
    if weighed.is_link_local or weighed.is_multicast or weighed.is_unspecified:
        return False
    return allow_private or weighed.is_global


def _resolve(name: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except socket.gaierror as trouble:
        if trouble.errno == socket.EAI_AGAIN:
            raise CrmBusy(
                code="NAME_NOT_RESOLVED", message=f"{name}: {trouble.strerror}", layer=Layer.CONNECTION, remedy="wait"
            ) from trouble
        raise _refused("NAME_NOT_FOUND", f"{name}: {trouble.strerror}", remedy="address_unknown") from trouble
    except UnicodeError as trouble:
        raise _refused("NAME_NOT_FOUND", f"{name} is not a name of a machine", remedy="address_unknown") from trouble
    return tuple(dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found))


def _sent_to(request: httpx.Request, address: str) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


def _refused(code: str, message: str, *, remedy: str) -> CrmMisconfigured:
    return CrmMisconfigured(code=code, message=message, layer=Layer.CONNECTION, move=Move.RELANCE_ADMIN, remedy=remedy)
