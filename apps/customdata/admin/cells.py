"""How one value of a record looks in the list, on its page and in its history."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.customdata.access import Rights
from apps.customdata.building import RecordBase
from apps.customdata.links import Goal
from apps.customdata.models import Field
from apps.customdata.noting import masked
from apps.events.showing import EMPTY, badge, badges, json_block, link

SHOWN = 80
NOT_INLINE = ("file", "json", "long_text")


def text(field: Field, value: Any) -> str:
    """Plain, for history and sentences; a personal value masked."""
    if value is None:
        return EMPTY
    return masked(field, value) if field.personal else field.type.show(field, value)


def cell(record: RecordBase, field: Field) -> SafeString:
    """Short, for the list."""
    value = getattr(record, field.attribute)
    if value is None or value == []:
        return format_html('<span class="db-none">{}</span>', EMPTY)
    if field.personal:
        return format_html('<span class="db-mono">{}</span>', masked(field, value))
    if field.type.refers:
        return _goal(record, field, value)
    if field.kind == "choice":
        return badge(field.type.show(field, value), "info")
    if field.kind == "choices":
        return badges([badge(field.type.show(field, [one]), "plain") for one in value])
    if field.kind == "boolean":
        return badge(field.type.show(field, value), "ok" if value else "plain")
    shown = field.type.show(field, value)
    return format_html(
        '<span title="{}">{}</span>', shown[:1000] if len(shown) > SHOWN else "", shown[:SHOWN] + ("…" if len(shown) > SHOWN else "")
    )


def whole(record: RecordBase, field: Field) -> SafeString | str:
    """For the page of somebody who may only look."""
    value = getattr(record, field.attribute)
    if value is not None and field.kind == "json":
        return json_block(value)
    if value is not None and field.kind == "long_text" and not field.personal:
        return format_html('<div style="white-space:pre-wrap">{}</div>', value)
    return cell(record, field)


def editable(record: RecordBase, field: Field, rights: Rights) -> SafeString:
    """The cell with the address of its little form, for those who may edit."""
    shown = cell(record, field)
    if not rights.edit or field.kind in NOT_INLINE or field.personal:
        return shown
    url = reverse(f"admin:customdata_{record.table.relation}_cell", args=[record.pk, field.alias])
    return format_html('<span class="db-cell" data-cell="{}" tabindex="0" title="{}">{}</span>', url, field.name, shown)


def _goal(record: RecordBase, field: Field, value: int) -> SafeString:
    goal: Goal = getattr(record, "goals", {}).get((field.pk, value), Goal(f"#{value}"))
    if field.kind == "file":
        url = reverse(f"admin:customdata_{record.table.relation}_file", args=[record.pk, field.alias])
        return format_html('<span class="material-symbols-outlined db-icon" aria-hidden="true">attach_file</span>{}', link(url, goal.text))
    return link(goal.url, goal.text)
