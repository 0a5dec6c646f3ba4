"""The preference centre and the unsubscription of one click: pages a prospect opens from a message, without signing in.

The link is signed, names a person and a brand, and never expires. Opening it changes nothing, since scanners open every link; a
button acts. No form here asks for Django's CSRF token: who has the link may use it, who has not cannot forge it, mail servers that
unsubscribe in one click (RFC 8058) bring no cookie, and a reader that refuses cookies must not keep anybody subscribed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from babel.dates import format_date
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from relance.consent.actions import NewStatement, record_evidence, record_statements, record_wording
from relance.consent.models import Topic
from relance.consent.periods import read_period
from relance.consent.rules import ConsentAnswer, decide_consent
from relance.consent.statements import Channel, Kind, Question, Status
from relance.decisions.rules import Verdict
from relance.deliverability.actions import end_pause, lift_frequency, pause_contact, wish_frequency
from relance.deliverability.facts import Posed, gather_contact
from relance.deliverability.models import Frequency, Quiet
from relance.lib.clock import utc_now
from relance.people.facts import merged_into
from relance.people.models import Person
from relance.workspace.models import Brand, Workspace

from .doors import opens_to_the_world
from .preference_words import LANGUAGES, words_in

SALT = "relance.web.preferences"
SHOWN_SALT = "relance.web.preferences.shown"
TOPICS_SHOWN = 300  # below the number of fields a form may send
OTHER_CHANNELS = (Channel.PHONE, Channel.SMS, Channel.WHATSAPP)
FREQUENCIES = {"week": "7 days", "month": "1 month", "quarter": "3 months"}
PAUSES = {"1": "1 month", "3": "3 months", "6": "6 months"}
HIDDEN = re.compile(r"(?<=^.)[^@]+(?=@)|^[^@]+(?=[^@]{2}$)")


def preferences_address(person: Person, brand: Brand) -> str:
    """The path of a person's preference centre: what a message links to."""
    return reverse("preferences", args=[_token(person, brand)])


def one_click_address(person: Person, brand: Brand) -> str:
    """The path of the List-Unsubscribe header: a POST there is enough."""
    return reverse("unsubscribe", args=[_token(person, brand)])


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whom a link names: nobody when she was deleted or erased since, no brand when it is gone."""

    token: str
    person: Person | None
    brand: Brand | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A box of the page: a channel, and for e-mail a topic."""

    key: str
    name: str
    is_on: bool
    is_pending: bool = False

    @property
    def channel(self) -> Channel:
        return Channel(self.key.partition(":")[0])


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@opens_to_the_world
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """What the person wants to hear about: shown, and saved by its button."""
    visitor, now = _visitor(token), utc_now()
    if visitor is None or visitor.person is None:
        return _plain(request, visitor)
    if request.method != "POST":
        return _page(request, visitor, now, notice=request.GET.get("done", ""))
    if "off" in request.POST:
        _close_everything(request, visitor, now)
        return _back(request, visitor, "all_off")
    shown = _shown(request, visitor)
    if shown is None:
        return _page(request, visitor, now, notice="stale", status=422)
    _save(request, visitor, shown, now)
    return _back(request, visitor, "saved")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@opens_to_the_world
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """The address of List-Unsubscribe: a POST ends the brand's e-mails at once; opened as a page it leads to the centre."""
    visitor, now = _visitor(token), utc_now()
    if visitor is None or visitor.person is None:
        return _plain(request, visitor)
    if request.method != "POST":
        return redirect("preferences", token=token)
    proof = _evidence(request, "one_click", now)
    brand_id = visitor.brand.pk if visitor.brand else None
    said = NewStatement(
        Kind.WITHDRAWN,
        now,
        visitor.person.pk,
        channel=Channel.EMAIL,
        brand_id=brand_id,
        how="one_click",
        evidence_id=proof,
    )
    record_statements([said], actor="system", now=now)
    return _page(request, visitor, now, notice="mail_off")


# Who asks.


def _token(person: Person, brand: Brand) -> str:
    return signing.dumps([person.pk, person.uid.hex, brand.pk], salt=SALT)


def _visitor(token: str) -> Visitor | None:
    """None for a link that is not ours, or is cut."""
    try:
        pk, uid, brand_id = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    person = Person.objects.filter(pk=pk, uid=UUID(uid)).first()
    if person is None:
        winner = merged_into(pk)
        person = Person.objects.filter(pk=winner).first() if winner else None
    return Visitor(token, person, Brand.objects.filter(pk=brand_id).first())


def _language(request: HttpRequest, visitor: Visitor | None) -> str:
    """The one chosen on the page, else the person's, else the brand's, else the browser's first that we write."""
    person, brand = (visitor.person, visitor.brand) if visitor else (None, None)
    heard = request.headers.get("Accept-Language", "").split(",")
    wanted = [request.GET.get("lang"), person and person.language, brand and brand.language, *heard]
    ours = (_language_code(one) for one in wanted if one)
    return next((code for code in ours if code), "en")


def _language_code(name: str) -> str:
    """“de-AT”, “Deutsch” and “fr;q=0.8” as a language of ours; "" for another."""
    plain = name.strip().casefold()
    by_name = {said.casefold(): code for code, said in LANGUAGES.items()}
    code = plain[:2] if len(plain) == 2 or plain[2:3] in ("-", "_", ";") else ""
    return by_name.get(plain) or (code if code in LANGUAGES else "")


# What is shown.


def _page(
    request: HttpRequest, visitor: Visitor, now: datetime, *, notice: str = "", status: int = 200
) -> HttpResponse:
    language = _language(request, visitor)
    person, brand = visitor.person, visitor.brand
    assert person is not None
    name = _sender(brand)
    told = {"address": _half_hidden(person), "brand": name}
    words = {
        key: text % told if "%(address)s" in text or "%(brand)s" in text else text
        for key, text in words_in(language).items()
    }
    offers, more = _offers(visitor, language, words, now) if brand else ([], False)
    text = _wording(words, offers)
    pause = Quiet.objects.filter(person=person, ended_at=None, ends__gt=now, is_absence=False).order_by("-ends").first()
    shown = {
        "language": language,
        "text": text,
        "more": more,
        "offers": {one.key: [one.name, one.is_on] for one in offers},
    }
    context = {
        "by_mail": [one for one in offers if one.channel is Channel.EMAIL],
        "by_other": [one for one in offers if one.channel is not Channel.EMAIL],
        "more": words["many"] % {"shown": TOPICS_SHOWN} if more else "",
        "shown": signing.dumps(shown, salt=SHOWN_SALT + visitor.token, compress=True),
        "often": [("none", words["no_limit"]), *((key, words[key]) for key in FREQUENCIES)],
        "chosen_often": _chosen_frequency(person),
        "pauses": [(key, words[f"month_{key}"]) for key in PAUSES],
        "paused": words["paused"] % {"day": format_date(pause.ends, "long", locale=language)} if pause else "",
        "notice": words.get(notice, "") if notice in ("saved", "all_off", "mail_off", "stale") else "",
        "is_bad": notice == "stale",
        "address": reverse("preferences", args=[visitor.token]),
    }
    return _render(request, "preferences/page.html", words, language, brand, context, status)


def _half_hidden(person: Person) -> str:
    """Enough of the address for its owner to know it, and for nobody else to learn it: a forwarded link must not tell."""
    address = person.email or person.phone or person.mobile_phone or ""
    return HIDDEN.sub(lambda found: "•" * len(found[0]), address)


def _offers(visitor: Visitor, language: str, words: Mapping[str, str], now: datetime) -> tuple[list[Offer], bool]:
    """The boxes, each as things stand, and whether there are more topics than a page holds."""
    assert visitor.person is not None and visitor.brand is not None
    brand = visitor.brand
    topics = list(_topics(brand)[: TOPICS_SHOWN + 1])
    offers = []
    mail = _posed(visitor.person, Question(Channel.EMAIL, brand=brand.name), now)
    if mail.facts.consent.address:
        named = [(topic.key, topic.name_in(language)) for topic in topics[:TOPICS_SHOWN]] or [("", words["all_mail"])]
        offers += [_offer(mail, f"email:{key}", name, now) for key, name in named]
    for channel in OTHER_CHANNELS:
        posed = _posed(visitor.person, Question(channel, brand=brand.name), now)
        if posed.facts.consent.address:
            offers.append(_offer(posed, f"{channel.value}:", words[channel.value], now))
    return offers, len(topics) > TOPICS_SHOWN


def _topics(brand: Brand) -> Any:
    offered = Topic.objects.filter(is_public=True, retired_at=None)
    return (offered.filter(brand=None) | offered.filter(brand=brand)).order_by("pk")


def _posed(person: Person, question: Question, now: datetime) -> Posed:
    return gather_contact([person.pk], question, at=now)[0]


def _offer(posed: Posed, key: str, name: str, now: datetime) -> Offer:
    """The box is ticked when this may reach the person today, whatever it rests on."""
    answer = _answer(posed, key.partition(":")[2], now)
    return Offer(key, name, answer.decision.verdict is not Verdict.SKIP, answer.status is Status.PENDING)


def _answer(posed: Posed, topic: str, now: datetime) -> ConsentAnswer:
    question = replace(posed.facts.question, topic=topic)
    day = now.astimezone(posed.facts.zones[0]).date()
    return decide_consent(posed.facts.consent, question, policy=posed.policy.consent, at=now, day=day)


def _wording(words: Mapping[str, str], offers: list[Offer]) -> str:
    """The exact words that a choice answers to: without the address, which is not part of them."""
    mail = [one.name for one in offers if one.channel is Channel.EMAIL]
    other = [one.name for one in offers if one.channel is not Channel.EMAIL]
    said = [words["title"], words["by_mail"], *mail, words["other_ways"], *other, words["save"]]
    said += [words["off_title"], words["off_text"], words["off"]]
    return "\n".join(said)


def _chosen_frequency(person: Person) -> str:
    """The choice of the page that the person's wish is; "none" without one, "" for one made elsewhere."""
    wish = Frequency.objects.filter(person=person).order_by("channels").first()
    if wish is None:
        return "none"
    return next(
        (key for key, per in FREQUENCIES.items() if wish.at_most == 1 and per == wish.per and not wish.channels), ""
    )


# What is said.


def _shown(request: HttpRequest, visitor: Visitor) -> dict[str, Any] | None:
    """What the page showed when it was opened, as we signed it then."""
    try:
        shown: dict[str, Any] = signing.loads(request.POST.get("shown", ""), salt=SHOWN_SALT + visitor.token)
    except signing.BadSignature:
        return None
    return shown


def _save(request: HttpRequest, visitor: Visitor, shown: dict[str, Any], now: datetime) -> None:
    """Only what was changed is said: a box left as it was makes nobody consent."""
    assert visitor.person is not None
    offers = [Offer(key, name, is_on) for key, (name, is_on) in shown["offers"].items()]
    ticked = {one for one in request.POST.getlist("on") if one in shown["offers"]}
    said = _statements(visitor, offers, ticked, now, is_whole=not shown["more"])
    if said:
        wording = record_wording(
            f"preference-centre-{visitor.brand.pk if visitor.brand else 0}",
            language=shown["language"],
            text=shown["text"],
            actor="system",
            now=now,
        )
        seen = {"on": sorted(ticked), "was": sorted(one.key for one in offers if one.is_on)}
        proof = _evidence(request, "page", now, wording_id=wording.pk, ticked=seen)
        proved = [replace(one, evidence_id=proof, wording_id=wording.pk) for one in said]
        record_statements(proved, actor="system", now=now)
    _save_rhythm(request, visitor.person, now)


def _statements(
    visitor: Visitor, offers: list[Offer], ticked: set[str], now: datetime, *, is_whole: bool
) -> list[NewStatement]:
    """A yes or a no for each box that changed. Every topic taken away closes e-mail itself: also what has no topic."""
    mail = {one.key for one in offers if one.channel is Channel.EMAIL}
    changed = [one for one in offers if one.is_on != (one.key in ticked)]
    if is_whole and not mail & ticked and any(one.key in mail for one in changed):
        changed = [Offer("email:", "", is_on=True), *(one for one in changed if one.key not in mail)]
    return [_statement(visitor, one, now) for one in changed]


def _statement(visitor: Visitor, offer: Offer, now: datetime) -> NewStatement:
    assert visitor.person is not None
    topic = offer.key.partition(":")[2]
    return NewStatement(
        Kind.WITHDRAWN if offer.is_on else Kind.GIVEN,
        now,
        visitor.person.pk,
        channel=offer.channel,
        brand_id=visitor.brand.pk if visitor.brand else None,
        topics=(topic,) if topic else (),
        how="page",
        source="preference centre",
        proof_at=now,
    )


def _save_rhythm(request: HttpRequest, person: Person, now: datetime) -> None:
    """How often, and from when again."""
    often, pause = request.POST.get("often", ""), request.POST.get("pause", "")
    if often in FREQUENCIES and often != _chosen_frequency(person):
        lift_frequency(person.pk)
        wish_frequency(person.pk, at_most=1, per=FREQUENCIES[often], now=now)
    elif often == "none":
        lift_frequency(person.pk)
    if pause in PAUSES or pause == "end":
        end_pause(person.pk, now=now)
    if pause in PAUSES:
        pause_contact(person.pk, until=read_period(PAUSES[pause]).after(now), now=now)


def _close_everything(request: HttpRequest, visitor: Visitor, now: datetime) -> None:
    """Every channel, every topic, every brand: who asks for nothing more gets nothing more."""
    assert visitor.person is not None
    proof = _evidence(request, "page", now, ticked={"off": True})
    said = NewStatement(Kind.WITHDRAWN, now, visitor.person.pk, how="page", evidence_id=proof)
    record_statements([said], actor="system", now=now)


def _evidence(request: HttpRequest, way: str, now: datetime, **seen: Any) -> int:
    agent = request.headers.get("User-Agent", "")[:400]
    proof = record_evidence(
        way, at=now, actor="system", source="preference centre", ip=_ip(request), user_agent=agent, **seen
    )
    return proof.pk


def _ip(request: HttpRequest) -> str | None:
    """The address of the request, behind as many proxies as the workspace says it has; None when it cannot be read."""
    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    passed = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
    told = passed[-proxies] if 0 < proxies <= len(passed) else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(told))
    except ValueError:
        return None


# Answers.


def _back(request: HttpRequest, visitor: Visitor, notice: str) -> HttpResponse:
    """To the page again, so that loading it once more repeats nothing."""
    address = reverse("preferences", args=[visitor.token])
    return _quietly(redirect(f"{address}?done={notice}&lang={_language(request, visitor)}"))


def _plain(request: HttpRequest, visitor: Visitor | None) -> HttpResponse:
    """A link that is cut or foreign; or a good one of somebody whose address is gone."""
    language = _language(request, visitor)
    words = words_in(language)
    name = "gone" if visitor else "broken"
    context = {"title": words[f"{name}_title"], "text": words[f"{name}_text"]}
    brand = visitor.brand if visitor else None
    return _render(request, "preferences/plain.html", words, language, brand, context, 200 if visitor else 404)


def _render(
    request: HttpRequest,
    template: str,
    words: Mapping[str, str],
    language: str,
    brand: Brand | None,
    context: Mapping[str, Any],
    status: int,
) -> HttpResponse:
    told = {
        "words": words,
        "languages": LANGUAGES.items(),
        "language": language,
        "sender": _sender(brand),
        "brand": brand,
    }
    with translation.override(language):
        answer = render(request, template, {**told, **context}, status=status)
    answer.headers["Content-Language"] = language
    return _quietly(answer)


def _quietly(answer: HttpResponse) -> HttpResponse:
    """The address is a key: no copy, no index, no referrer."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _sender(brand: Brand | None) -> str:
    if brand:
        return brand.name
    return Workspace.objects.values_list("name", flat=True).first() or "Relance"


urlpatterns = [
    path("preferences/<str:token>", preferences, name="preferences"),
    path("unsubscribe/<str:token>", unsubscribe, name="unsubscribe"),
]
