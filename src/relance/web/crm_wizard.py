"""Connecting a CRM, step by step: how we sign in, who answers, which fields, a dry run, an approval, and the switch."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from relance.crm.connection import SECRET_NAMES, change_connection, create_connection, verify_connection
from relance.crm.describing import refresh_descriptions
from relance.crm.dialect import CrmError
from relance.crm.drafts import draft_of, suggest_mapping
from relance.crm.mapping import approved_mapping, check_mapping, draft_mapping, save_draft
from relance.crm.models import Connection
from relance.crm.opening import crm_opened
from relance.crm.page_facts import seen_connection
from relance.crm.rules import ConnectionState, LoginMethod
from relance.workspace.rules import Permission

from .crm_frame import STATE_WORDS
from .crm_words import error_words, trouble_of
from .doors import opens_to, signed_in

METHODS = [
    (
        LoginMethod.CLIENT_CREDENTIALS.value,
        gettext_lazy("Client credentials: the app signs in as a user chosen in it (advised)"),
    ),
    (LoginMethod.JWT_BEARER.value, gettext_lazy("JWT bearer: a private key signs in as a user who approved the app")),
    (LoginMethod.REFRESH_TOKEN.value, gettext_lazy("Refresh token: what a person's consent in the browser left")),
]
METHOD_NAMES = {
    LoginMethod.CLIENT_CREDENTIALS: gettext_lazy("client credentials"),
    LoginMethod.JWT_BEARER: gettext_lazy("JWT bearer"),
    LoginMethod.REFRESH_TOKEN: gettext_lazy("refresh token"),
}
NEEDED = {
    LoginMethod.CLIENT_CREDENTIALS: ("client_secret",),
    LoginMethod.JWT_BEARER: ("username", "private_key"),
    LoginMethod.REFRESH_TOKEN: ("refresh_token",),
}
API_VERSIONS = [(version, version) for version in ("66.0", "65.0", "64.0", "63.0", "62.0", "61.0", "60.0")]


def _secret(label: Any, **more: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=True)
    return forms.CharField(label=label, required=False, strip=True, widget=widget, **more)


class SignInForm(forms.Form):
    """How we sign in to a CRM. On a change, secrets left empty stay as they are."""

    name = forms.CharField(label=gettext_lazy("Name of the connection"), max_length=80)
    login_method = forms.ChoiceField(label=gettext_lazy("Way to sign in"), choices=METHODS, widget=forms.RadioSelect)
    login_url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=300,
        help_text=gettext_lazy(
            "Your own domain in Salesforce, such as https://yourcompany.my.salesforce.com (Setup › My Domain)."
        ),
        widget=forms.URLInput(attrs={"autocomplete": "url", "placeholder": "https://"}),
    )
    client_id = forms.CharField(
        label=gettext_lazy("Consumer key"), max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    client_secret = _secret(gettext_lazy("Consumer secret"))
    username = forms.CharField(
        label=gettext_lazy("User name in Salesforce"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("The integration user, as Salesforce writes it: name@yourcompany.com.integration"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    private_key = forms.CharField(
        label=gettext_lazy("Private key"),
        required=False,
        help_text=gettext_lazy("In PEM, from BEGIN PRIVATE KEY to END PRIVATE KEY. It is sealed before it is kept."),
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    refresh_token = _secret(gettext_lazy("Refresh token"))
    api_version = forms.ChoiceField(label=gettext_lazy("Version of the API"), choices=API_VERSIONS, initial="66.0")
    ca_file = forms.CharField(
        label=gettext_lazy("Certificate authority"),
        max_length=400,
        required=False,
        help_text=gettext_lazy("Only for a CRM whose certificate no public authority vouches for, such as a sandbox of ours: a path on this server."),
    )  # fmt: skip

    def __init__(self, *args: Any, is_change: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.is_change = is_change
        chosen = self.data.get("login_method", "") if self.is_bound else ""
        needed = NEEDED[LoginMethod(chosen)] if chosen in set(LoginMethod) else ()
        for name in (*SECRET_NAMES, "username"):
            self.fields[name].required = not is_change and (not self.is_bound or name in needed)
        if is_change:
            for name in SECRET_NAMES:
                self.fields[name].help_text = _("Leave empty to keep the one we hold.")

    def answers(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is to be kept as it is, and what is to be sealed."""
        told = dict(self.cleaned_data)
        return told, {name: told.pop(name) for name in SECRET_NAMES}

    def clean_login_url(self) -> str:
        return str(self.cleaned_data["login_url"]).rstrip("/")

    def take(self, refused: ValidationError) -> None:
        """Put what the room refused beside the field it concerns."""
        told = refused.error_dict if hasattr(refused, "error_dict") else {"": refused.error_list}
        for name, errors in told.items():
            self.add_error(name if name in self.fields else None, errors)


# ── Step one: how we sign in ─────────────────────────────────────────────────────────────────────────────────────────


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_CRM)
def connect(request: HttpRequest) -> HttpResponse:
    """Write down how to sign in, and try it at once."""
    form = SignInForm(request.POST or None, initial={"name": "Salesforce", "login_method": METHODS[0][0]})
    if request.method == "POST" and form.is_valid():
        told, secrets = form.answers()
        try:
            connection = create_connection(
                told.pop("name"), told.pop("login_url"), **told, **secrets, by=signed_in(request)
            )
        except ValidationError as refused:
            form.take(refused)
        else:
            return _try_it(request, connection)
    return render(request, "crm/connect.html", {"form": form}, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_CRM)
def sign_in(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Correct how we sign in, and try it at once."""
    connection = get_object_or_404(Connection, pk=connection_id)
    kept = {name: getattr(connection, name) for name in SignInForm.base_fields if name not in SECRET_NAMES}
    form = SignInForm(request.POST or None, initial=kept, is_change=True)
    if request.method == "POST" and form.is_valid():
        told, secrets = form.answers()
        try:
            change_connection(connection, secrets=secrets, **told)
        except ValidationError as refused:
            form.take(refused)
        else:
            return _try_it(request, connection)
    context = {"form": form, "connection": connection, "trouble": trouble_of(seen_connection(connection))}
    return render(request, "crm/sign_in.html", context, status=422 if form.is_bound else 200)


def _try_it(request: HttpRequest, connection: Connection) -> HttpResponse:
    """What was typed is kept, whatever the CRM answers: one mistake must not cost the other answers."""
    try:
        identity = verify_connection(connection, by=signed_in(request))
    except CrmError as error:
        messages.error(request, error_words(error))
        return redirect("crm-sign-in", connection.pk)
    messages.success(request, _("%(org)s answers, as %(user)s.") % {"org": identity.name, "user": identity.username})
    return redirect("crm-setup", connection.pk)


# ── The steps after it ───────────────────────────────────────────────────────────────────────────────────────────────


@require_safe
@opens_to(Permission.MANAGE_CRM)
def setup(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Where the set-up stands: what is done, and the one thing to do next."""
    seen = seen_connection(get_object_or_404(Connection, pk=connection_id))
    connection = seen.connection
    draft, approved = draft_mapping(connection), approved_mapping(connection)
    mapping = draft or approved
    objects = draft_of(mapping) if mapping else ()
    findings = check_mapping(draft) if draft else []
    return render(
        request,
        "crm/setup.html",
        {
            "connection": connection,
            "seen": seen,
            "state": STATE_WORDS[seen.state],
            "method": METHOD_NAMES[LoginMethod(connection.login_method)],
            "draft": draft,
            "approved": approved,
            "objects": objects,
            "errors": [finding for finding in findings if finding.is_error],
            "warnings": [finding for finding in findings if not finding.is_error],
            "step": _step(seen.state, bool(connection.org_id), draft, approved),
        },
    )


def _step(state: ConnectionState, is_known: bool, draft: Any, approved: Any) -> int:
    """The number of the step to take: 2 who answers, 3 fields, 4 dry run, 5 approval, 6 switch, 7 done."""
    if not is_known or state is ConnectionState.NEW:
        return 2
    if draft is not None:
        return 5 if draft.dry_run else 4
    if approved is None:
        return 3
    return 6 if state in (ConnectionState.VERIFIED, ConnectionState.DISABLED) else 7


@require_POST
@opens_to(Permission.MANAGE_CRM)
def suggest(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Read the CRM's fields and keep our suggestion as a draft: nothing moves."""
    connection = get_object_or_404(Connection, pk=connection_id)
    try:
        with crm_opened(connection) as client:
            refresh_descriptions(connection, client, now=timezone.now())
    except CrmError as error:
        messages.error(request, error_words(error))
        return redirect("crm-setup", connection_id)
    drafts = suggest_mapping(connection)
    if not drafts:
        messages.error(
            request,
            _(
                "Our user sees neither leads, contacts nor accounts: ask the CRM administrator for the right to read them."
            ),
        )
        return redirect("crm-setup", connection_id)
    mapping = save_draft(connection, drafts, by=signed_in(request))
    fields = sum(len(draft.fields) for draft in drafts)
    said = _("Version %(version)s is a draft with %(count)s fields: check it, then try it without effect.")
    messages.success(request, said % {"version": mapping.version, "count": fields})
    return redirect("crm-setup", connection_id)


urlpatterns = [
    path("crm/connect", connect, name="crm-connect"),
    path("crm/<int:connection_id>/sign-in", sign_in, name="crm-sign-in"),
    path("crm/<int:connection_id>/setup", setup, name="crm-setup"),
    path("crm/<int:connection_id>/setup/suggest", suggest, name="crm-suggest"),
]
