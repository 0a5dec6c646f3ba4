"""May we contact this person? The gate's answer for each channel, now; what she said before; and a word recorded by hand.

What is shown here is computed when asked and written nowhere: only a message that leaves, or does not, is a line of the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from relance.consent.actions import NewStatement, record_evidence, record_statement, weigh_statement
from relance.consent.house import book_in_force
from relance.consent.models import ConsentLine, Topic
from relance.consent.packs import PolicyBook
from relance.consent.statements import OPT_INS, Channel, Kind, Proof, Question, Speaker
from relance.decisions.facts import RecordedDecision
from relance.decisions.reasons import explain_reason
from relance.decisions.rules import Verdict
from relance.deliverability.actions import decide_contact
from relance.deliverability.rules import ContactDecision
from relance.lib.clock import utc_now
from relance.people.models import Person
from relance.workspace.models import Brand, User
from relance.workspace.rules import Permission

from .consent_words import CHANNELS, KINDS, SPEAKERS, WAYS
from .doors import opens_to, signed_in
from .formats import moment
from .timeline import user_names
from .why import why_context

ICONS = {Channel.EMAIL: "mail", Channel.PHONE: "phone", Channel.SMS: "message", Channel.WHATSAPP: "brand-whatsapp"}
BADGES = {
    Verdict.GO: ("ok", "check", gettext_lazy("Yes")),
    Verdict.WAIT: ("warn", "clock", gettext_lazy("Later")),
    Verdict.SKIP: ("bad", "x", gettext_lazy("No")),
}
WORDS_BY_HAND = (Kind.GIVEN, Kind.WITHDRAWN, Kind.OBJECTION)
WAYS_BY_HAND = ("call", "meeting", "mail", "form", "paper", "signed")
LINES_SHOWN = 500
TOPICS_ASKED = 12
CHANNELS_BY_HAND = (*ICONS, Channel.POST, Channel.ALL)


def contact_context(person: Person, *, now: datetime | None = None) -> dict[str, Any]:
    """What person/_contact.html needs: the gate's answer for marketing by the default brand, channel by channel."""
    at, book = now or utc_now(), book_in_force()
    topics = _topics_said(person)
    return {"channels": [_channel(person, channel, at, book, topics.get(channel.value, ())) for channel in ICONS]}


@require_safe
@vary_on_headers("HX-Request")
@opens_to(Permission.VIEW_PEOPLE)
def why_contact(request: HttpRequest, person_id: int, channel: str) -> HttpResponse:
    """All the checks of the gate for one channel, made now; for htmx, the panel alone."""
    person = get_object_or_404(Person.objects.visible_to(signed_in(request)), pk=person_id)
    if channel not in ICONS:
        raise Http404
    now = utc_now()
    decided = decide_contact(person, Question(Channel(channel)), at=now)
    told = RecordedDecision(0, now, "contact", person.pk, person.pk, decided.line, decided.verdict, decided.decision)
    context = {
        **why_context(told),
        "question": _("May we contact %(name)s? %(channel)s, marketing")
        % {"name": person.full_name, "channel": CHANNELS[Channel(channel)]},
        "headline": _headline(decided),
        "computed_now": True,
        "person": person,
        "close": reverse("person", args=[person.pk]),
    }
    template = "why/_panel.html" if request.headers.get("HX-Request") else "consent/why.html"
    return render(request, template, context)


@require_safe
@opens_to(Permission.VIEW_PEOPLE)
def consent_history(request: HttpRequest, person_id: int) -> HttpResponse:
    """All that was said, newest first, with what proves it; and the form to record a word by hand."""
    user = signed_in(request)
    person = get_object_or_404(Person.objects.visible_to(user), pk=person_id)
    return _history_page(request, person, StatementForm(), user)


@require_POST
@opens_to(Permission.EDIT_PEOPLE)
def record_word(request: HttpRequest, person_id: int) -> HttpResponse:
    """Write in the ledger what the person told somebody."""
    user, now = signed_in(request), utc_now()
    person = get_object_or_404(Person.objects.visible_to(user), pk=person_id)
    form = StatementForm(request.POST)
    if form.is_valid() and form.record(person, user, now):
        messages.success(request, _("What %(name)s said is in the consent ledger.") % {"name": person.full_name})
        return redirect("consent-history", person_id=person.pk)
    return _history_page(request, person, form, user, status=422)


class StatementForm(forms.Form):
    """What a person told somebody: yes with its proof, no, or an objection."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What the person said"), choices=[(k.value, KINDS[k]) for k in WORDS_BY_HAND]
    )
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"), choices=[(one.value, CHANNELS[one]) for one in CHANNELS_BY_HAND]
    )
    brand = forms.ModelChoiceField(
        Brand.objects.order_by("name"),
        label=gettext_lazy("Brand"),
        required=False,
        empty_label=gettext_lazy("As the person said: the default brand for a yes, every brand for a no"),
    )
    topic = forms.ModelChoiceField(
        Topic.objects.filter(retired_at=None).order_by("key"),
        label=gettext_lazy("Topic"),
        required=False,
        empty_label=gettext_lazy("Every topic"),
    )
    act_at = forms.DateTimeField(
        label=gettext_lazy("When it was said"),
        help_text=gettext_lazy("The time of the act, not of this entry."),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        error_messages={
            "required": gettext_lazy("Say when the person said it."),
            "invalid": gettext_lazy("This is not a date and time such as 2026-11-17 14:30."),
        },
    )
    how = forms.ChoiceField(
        label=gettext_lazy("How it was said"),
        choices=[("", "—"), *((way, WAYS[way]) for way in WAYS_BY_HAND)],
        required=False,
    )
    source = forms.CharField(
        label=gettext_lazy("Where the proof is"),
        help_text=gettext_lazy("Such as “paper form of the trade fair, binder 4” or the number of a recorded call."),
        max_length=300,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """A yes that nobody can prove counts for nothing, so it is not taken from a form."""
        told: dict[str, Any] = super().clean() or {}
        if told.get("kind") == Kind.GIVEN:
            if not told.get("how"):
                self.add_error("how", _("A yes counts only with its proof: say how it was given."))
            if not (told.get("source") or "").strip():
                self.add_error("source", _("A yes counts only with its proof: say where the proof can be found."))
        return told

    def record(self, person: Person, user: User, now: datetime) -> bool:
        """Write it. False when the ledger refuses: the form then says why."""
        said, actor = self._statement(person), f"user:{user.pk}"
        refusal = weigh_statement(said, now)
        if refusal.verdict is not Verdict.GO:
            told = explain_reason(refusal)
            self.add_error("channel" if refusal.code == "ledger.no_channel" else "act_at", f"{told.says} {told.remedy}")
            return False
        if said.how or said.source:
            proof = record_evidence(said.how, at=said.act_at, actor=actor, source=said.source)
            said = replace(said, evidence_id=proof.pk)
        record_statement(said, actor=actor, now=now)
        return True

    def _statement(self, person: Person) -> NewStatement:
        told = self.cleaned_data
        return NewStatement(
            Kind(told["kind"]),
            told["act_at"],
            person.pk,
            channel=Channel(told["channel"]),
            said_by=Speaker.SELLER,
            brand_id=told["brand"].pk if told["brand"] else None,
            topics=(told["topic"].key,) if told["topic"] else (),
            how=told["how"],
            source=told["source"].strip(),
            proof_at=told["act_at"] if told["kind"] == Kind.GIVEN else None,
        )


def _history_page(
    request: HttpRequest, person: Person, form: StatementForm, user: User, *, status: int = 200
) -> HttpResponse:
    lines = person.consent_lines.select_related("brand", "evidence", "wording").order_by("-act_at", "-pk")
    shown = list(lines[:LINES_SHOWN])
    names = user_names(line.recorded_by for line in shown)
    context = {
        "person": person,
        "said": [_told(line, names) for line in shown],
        "shown": LINES_SHOWN,
        "total": lines.count(),
        "form": form if user.may(Permission.EDIT_PEOPLE) else None,
    }
    return render(request, "consent/history.html", context, status=status)


def _told(line: ConsentLine, names: Mapping[str, str]) -> dict[str, Any]:
    """A line of the ledger as the history shows it."""
    proof = line.evidence
    return {
        "line": line,
        "kind": KINDS[Kind(line.kind)],
        "channel": CHANNELS[Channel(line.channel)],
        "reported_by": SPEAKERS[Speaker(line.said_by)],
        "recorded_by": names.get(line.recorded_by, ""),
        "how": WAYS.get(line.how, line.how),
        "source": line.source or (proof.source if proof else ""),
        "wording": line.wording or (proof.wording if proof else None),
        "is_unproved": line.kind in OPT_INS and line.said_by != Speaker.PERSON and not _is_proved(line),
    }


def _is_proved(line: ConsentLine) -> bool:
    return Proof(line.proof_at, line.how, line.source).is_complete


def _topics_said(person: Person) -> dict[str, list[Topic]]:
    """The topics she said yes to by name, by channel: a message about one of them may go where a message about none may not."""
    said = person.consent_lines.filter(kind__in=OPT_INS, topics__len__gt=0).values_list("channel", "topics")
    by_channel: dict[str, set[str]] = {}
    for channel, keys in said:
        by_channel.setdefault(channel, set()).update(keys)
    named = Topic.objects.filter(key__in=set().union(*by_channel.values()), retired_at=None).order_by("pk")
    topics = list(named[:TOPICS_ASKED]) if by_channel else []
    return {channel: [topic for topic in topics if topic.key in keys] for channel, keys in by_channel.items()}


def _channel(
    person: Person, channel: Channel, at: datetime, book: PolicyBook, topics: Sequence[Topic]
) -> dict[str, Any]:
    decided = decide_contact(person, Question(channel), at=at, book=book)
    tone, icon, label = BADGES[decided.verdict]
    open_topics = [
        topic.name_in(get_language() or "en")
        for topic in topics
        if decided.verdict is Verdict.SKIP
        and decide_contact(person, Question(channel, topic=topic.key), at=at, book=book).verdict is not Verdict.SKIP
    ]
    return {
        "key": channel.value,
        "name": CHANNELS[channel],
        "icon": ICONS[channel],
        "tone": tone,
        "mark": icon,
        "label": label,
        "says": _because(decided),
        "topics": ", ".join(open_topics),
    }


def _headline(decided: ContactDecision) -> str:
    """The verdict and its reason in one sentence."""
    told = {"says": _because(decided)}
    match decided.verdict:
        case Verdict.GO:
            return _("Yes, now: %(says)s") % told
        case Verdict.WAIT:
            return _("Not yet: %(says)s") % told
        case Verdict.SKIP:
            return _("No: %(says)s") % told


def _because(decided: ContactDecision) -> str:
    """The reason that says most: what stands in the way, the hour it opens, or the ground it rests on."""
    if decided.until is not None:
        return _("It can be sent from %(hour)s.") % {"hour": moment(decided.until)}
    reasons = decided.decision.decisive
    of_consent = [reason for reason in reasons if reason.code.startswith("consent.")]
    return explain_reason((of_consent or reasons)[0]).says


urlpatterns = [
    path("people/<int:person_id>/contact/<str:channel>", why_contact, name="person-contact"),
    path("people/<int:person_id>/consent", consent_history, name="consent-history"),
    path("people/<int:person_id>/consent/record", record_word, name="consent-record"),
]
