"""To whom are we speaking: somebody at work, or a private person? Unknown is private. Pure, with the reason kept."""

from __future__ import annotations

import re

from .statements import Audience

FREE_MAIL = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "yahoo.com",
        "yahoo.fr",
        "yahoo.co.uk",
        "yahoo.de",
        "yahoo.es",
        "yahoo.it",
        "ymail.com",
        "hotmail.com",
        "hotmail.fr",
        "hotmail.co.uk",
        "outlook.com",
        "outlook.fr",
        "live.com",
        "live.fr",
        "msn.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "proton.me",
        "protonmail.com",
        "gmx.de",
        "gmx.net",
        "gmx.at",
        "gmx.ch",
        "web.de",
        "t-online.de",
        "freenet.de",
        "orange.fr",
        "wanadoo.fr",
        "free.fr",
        "sfr.fr",
        "laposte.net",
        "bbox.fr",
        "neuf.fr",
        "libero.it",
        "virgilio.it",
        "tin.it",
        "alice.it",
        "telefonica.net",
        "terra.es",
        "ziggo.nl",
        "kpnmail.nl",
        "hetnet.nl",
        "telenet.be",
        "skynet.be",
        "bluewin.ch",
        "hispeed.ch",
        "mail.com",
        "mail.ru",
        "yandex.ru",
        "qq.com",
        "163.com",
        "naver.com",
        "hanmail.net",
        "bol.com.br",
        "uol.com.br",
        "terra.com.br",
        "wp.pl",
        "o2.pl",
        "onet.pl",
        "seznam.cz",
    ]
)
ROLES = frozenset(
    [
        "info",
        "contact",
        "accueil",
        "direction",
        "kontakt",
        "office",
        "sales",
        "commercial",
        "administration",
        "admin",
        "hello",
        "bonjour",
        "mail",
        "post",
        "service",
        "support",
        "secretariat",
        "compta",
        "comptabilite",
        "rh",
        "hr",
        "jobs",
        "marketing",
        "presse",
        "press",
        "webmaster",
        "team",
        "zentrale",
        "vertrieb",
        "verkauf",
        "buchhaltung",
        "ventas",
        "administracion",
        "informacion",
        "vendite",
        "amministrazione",
        "segreteria",
        "verkoop",
        "administratie",
        "geral",
        "comercial",
    ]
)
_MOBILE = {
    "FR": r"^\+33[67]",
    "DE": r"^\+491[5-7]",
    "IE": r"^\+3538[3-9]",
    "UK": r"^\+447[1-9]",
    "GB": r"^\+447[1-9]",
    "IT": r"^\+393",
    "ES": r"^\+34[67]",
    "BE": r"^\+324[5-9]",
    "NL": r"^\+316",
    "AT": r"^\+436",
    "CH": r"^\+417[4-9]",
}


def normal_address(address: str) -> str:
    """An address as it is compared: an e-mail address in lower case, a number by its figures."""
    text = address.strip().lower()
    return text if "@" in text else re.sub(r"[^0-9+a-z]", "", text) or text


def audience_of(email: str, *, proved: Audience | None = None, has_company: bool = False) -> tuple[Audience, str]:
    """Whom we speak to, and why we think so. A free-mail address is private unless somebody proved otherwise."""
    if proved:
        return proved, "stated"
    domain = email.strip().lower().rpartition("@")[2]
    if domain in FREE_MAIL:
        return Audience.B2C, "free_mail"
    if has_company and domain:
        return Audience.B2B, "company_address"
    return Audience.B2C, "unknown"


def is_role_address(email: str) -> bool:
    """info@, contact@…, on a company's domain only: on a free-mail one it is somebody's name."""
    local, _at, domain = email.strip().lower().partition("@")
    return bool(domain) and domain not in FREE_MAIL and re.split(r"[.+_-]", local)[0] in ROLES


def is_mobile(number: str, country: str) -> bool | None:
    """Is it a mobile number? None when its country's numbers do not tell."""
    pattern = _MOBILE.get(country)
    if pattern is None or not number.startswith("+"):
        return None
    return re.match(pattern, normal_address(number)) is not None
