"""Pieces of the sandbox's page as HTML: every value is escaped where it is put in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from relance.sandbox.exchange import Response
from relance.sandbox.page_words import Words

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
TABS = (("records", "Records"), ("admin", "Administration"), ("faults", "Faults"), ("log", "Requests"))


def page(words: Words, title: str, here: str, *sections: str, status: int = 200) -> Response:
    tabs = "".join(
        f'<a href="/?show={name}"{" aria-current=page" if name == here else ""}>{escape(words(label))}</a>'
        for name, label in TABS
    )
    saying = words("This org belongs to nobody. Break it as you like: Relance must cope.")
    text = (
        f'<!DOCTYPE html><html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        '<link rel="stylesheet" href="/sandbox/page.css"></head><body>'
        f'<a class="skip" href="#content">{escape(words("Skip to the content"))}</a>'
        f"<header><h1>{escape(title)}</h1><p>{escape(saying)}</p><nav>{tabs if here else ''}</nav></header>"
        f'<main id="content">{"".join(sections)}</main></body></html>'
    )
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(status, text.encode(), "text/html;charset=UTF-8", headers)


def section(title: str, *content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(content)}</section>"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], *, empty: str) -> str:
    """Cells are HTML already."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return f"<p>{escape(empty)}</p>"
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def form(action: str, *content: str, method: str = "post") -> str:
    return f'<form method="{method}" action="{escape(action)}">{"".join(content)}</form>'


def hidden(**values: str) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in values.items())


def field(label: str, name: str, value: str = "", *, required: bool = False) -> str:
    must = " required" if required else ""
    return f'<label>{escape(label)}<input name="{escape(name)}" value="{escape(value)}"{must}></label>'


def choice(label: str, name: str, options: Mapping[str, str], chosen: str = "") -> str:
    """`options`: value to label."""
    made = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options.items()
    )
    return f'<label>{escape(label)}<select name="{escape(name)}">{made}</select></label>'


def button(label: str, kind: str = "") -> str:
    return f"<button{f' class={kind}' if kind else ''}>{escape(label)}</button>"


def said(words: Words, query: Mapping[str, str]) -> str:
    """What came of the button pressed before."""
    if "refused" in query:
        return f'<section class="said refused" role="alert">{escape(words("Refused: %s", query["refused"]))}</section>'
    return f'<section class="said" role="status">{escape(words("Done."))}</section>' if "done" in query else ""
