"""How pages of the admin show values: badges, moments, links, JSON. Everything is escaped here, once."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode

from django.core.serializers.json import DjangoJSONEncoder
from django.urls import NoReverseMatch, reverse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

Tone = Literal["plain", "ok", "bad", "warn", "info"]
Text = str | Promise

EMPTY = "–"
SECOND_MS = 1000
MINUTE_MS = 60_000


def badge(text: Text, tone: Tone = "plain", *, icon: str = "", title: Text = "") -> SafeString:
    """A coloured label; the text says the same as the colour."""
    picture = format_html('<span class="material-symbols-outlined" aria-hidden="true">{}</span>', icon) if icon else ""
    return format_html('<span class="db-badge db-{}" title="{}">{}{}</span>', tone, title, picture, text)


def badges(items: Iterable[SafeString]) -> SafeString:
    """Several in one cell."""
    return format_html('<span class="db-badges">{}</span>', format_html_join(" ", "{}", ((item,) for item in items)))


def link(url: str, text: Text, *, title: Text = "") -> SafeString:
    """`url` "" when the reader may not go there."""
    if not url:
        return format_html('<span title="{}">{}</span>', title, text) if title else format_html("{}", text)
    return format_html('<a class="db-link" href="{}" title="{}">{}</a>', url, title, text)


def page_of(label: str, pk: Any) -> str:
    """Address of the admin page of a row, by the model's label; "" when the model has none."""
    if pk in (None, ""):
        return ""
    try:
        return reverse(f"admin:{label.lower().replace('.', '_')}_change", args=[pk])
    except NoReverseMatch:
        return ""


def list_of(label: str, **filters: Any) -> str:
    """Address of the admin list of a model, filtered."""
    address = reverse(f"admin:{label.lower().replace('.', '_')}_changelist")
    return with_query(address, **filters)


def with_query(address: str, **parameters: Any) -> str:
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"{address}?{urlencode(given)}" if given else address


def trace_page(trace_id: str) -> str:
    return reverse("admin:events_event_trace", args=[trace_id]) if trace_id else ""


def trace_link(trace_id: str) -> SafeString:
    """The way from any row to the chain that it belongs to."""
    if not trace_id:
        return format_html("{}", EMPTY)
    return format_html(
        '<a class="db-link db-mono" href="{}" title="{}">{}…</a>', trace_page(trace_id), _("Show the whole chain"), trace_id[:8]
    )


def moment(value: datetime | None, *, seconds: bool = True) -> SafeString:
    """Short where it is near: the time of today, day and time of this year; the full moment with its zone on pointing."""
    if value is None:
        return format_html("{}", EMPTY)
    local = timezone.localtime(value)
    now = timezone.localtime()
    if local.date() == now.date():
        short = local.strftime("%H:%M:%S" if seconds else "%H:%M")
    elif local.year == now.year:
        short = formats.date_format(local, "j M H:i")
    else:
        short = formats.date_format(local, "j M Y")
    full = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    return format_html('<time class="db-time" datetime="{}" title="{}">{}</time>', value.isoformat(), full, short)


def span(milliseconds: float | None) -> str:
    """A duration in the unit that a person would say: 12 ms, 3.4 s, 2 min 5 s."""
    if milliseconds is None:
        return EMPTY
    if milliseconds < SECOND_MS:
        return _("%(count)s ms") % {"count": round(milliseconds)}
    if milliseconds < MINUTE_MS:
        return _("%(count)s s") % {"count": f"{milliseconds / SECOND_MS:.1f}"}
    minutes, rest = divmod(round(milliseconds / SECOND_MS), 60)
    if minutes < 60:  # noqa: PLR2004
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    hours, minutes = divmod(minutes, 60)
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}


def json_text(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)


def json_block(data: Any) -> SafeString:
    """JSON to read; whoever calls has masked it."""
    return format_html('<pre class="db-code">{}</pre>', json_text(data))


def copyable(text: str) -> SafeString:
    """A value to take along: an address, a code."""
    return format_html(
        '<span class="db-copy"><code>{0}</code><button type="button" class="db-icon-button" data-copy="{0}" title="{1}" aria-label="{1}">'
        '<span class="material-symbols-outlined" aria-hidden="true">content_copy</span></button></span>',
        text,
        _("Copy"),
    )
