"""The translators' page of a scenario: a table of its texts, how complete each language is, files out and in."""

from pathlib import PurePath
from typing import Any

from django import forms
from django.conf.locale import LANG_INFO
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language_info, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from unfold import widgets

from apps.accounts.models import User
from apps.core import audit
from apps.events.showing import with_query
from apps.scenarios.languages import saving, texts
from apps.scenarios.languages.exchange import MAX_BYTES, FormatError, Sheet, formats, is_language
from apps.scenarios.languages.saving import Cell
from apps.scenarios.languages.texts import Applied
from apps.scenarios.models import Scenario

PER_PAGE = 100  # two form fields a line, of the thousand that a form may have
SHOWN = 10


class TextsFileForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("File of texts"), widget=widgets.UnfoldAdminFileFieldWidget)
    take_base = forms.BooleanField(
        label=gettext_lazy("Take over the base language too"), required=False, widget=widgets.UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("For content teams who edit the texts themselves in the file."),
    )  # fmt: skip


def languages_view(request: HttpRequest, scenario: Scenario, context: dict[str, Any], *, may_edit: bool) -> HttpResponse:
    if request.method == "POST" and may_edit:
        return _uploaded(request, scenario) if "file" in request.FILES else _saved(request, scenario)
    own = texts.of_bot(scenario.bot, scenario.draft)
    base, *others = own
    asked = request.GET.get("to", "")
    to = asked if is_language(asked) and asked != base else next(iter(others), "")
    found = texts.lines(scenario.draft)
    shown = [line for line in found if not request.GET.get("missing") or (line.has_words and not line.texts.get(to, "").strip())]
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("p"))
    return TemplateResponse(request, "admin/scenarios/languages.html", {
        **context, "scenario": scenario, "base": base, "to": to, "others": others, "may_edit": may_edit, "page": page, "all": len(found),
        "rows": [(line, line.texts[base], line.texts.get(to, "")) for line in page], "base_name": _named(base), "to_name": _named(to),
        "shares": [(share, _named(share.language)) for share in texts.shares(found, own)],
        "known": [(code, _named(code)) for code in LANG_INFO if is_language(code) and code not in own],
        "missing": bool(request.GET.get("missing")), "form": TextsFileForm(), "formats": [(kind, format_.label) for kind, format_ in formats.items()],
    })  # fmt: skip


def export_view(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    """`?format=` one of `formats`, `?to=` a language; without it all languages where the format can hold several."""
    format_ = formats.get(request.GET.get("format", ""))
    base, *others = texts.of_bot(scenario.bot, scenario.draft)
    asked = request.GET.get("to", "")
    if format_ is None or (asked and not is_language(asked)) or (format_.one_language and not (asked or others)):
        raise Http404
    languages = [asked] if asked else others[:1] if format_.one_language else others
    body = format_.dump(Sheet(scenario.name, base, [code for code in languages if code != base], texts.lines(scenario.draft)))
    audit.record(request.user, "scenarios.texts.export", scenario, format=format_.kind, languages=languages)
    response = HttpResponse(body, content_type=format_.content_type)
    name = f"{scenario.key}-{'-'.join([base, *languages])}.{format_.kind}"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def _saved(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    """Cells of the table: `now|<key>` beside `was|<key>`."""
    to = request.POST.get("to", "")
    if not is_language(to):
        raise Http404
    cells = [
        Cell(name.removeprefix("now|"), to, _plain(request.POST.get(f"was|{name.removeprefix('now|')}", "")), _plain(request.POST[name]))
        for name in request.POST
        if name.startswith("now|")
    ]
    applied, lost = saving.save_cells(scenario, cells, user=_user(request))
    _tell(request, applied)
    if lost:
        told = ", ".join(cell.key for cell in lost[:SHOWN])
        messages.error(
            request,
            _("Not stored, because somebody else has changed them meanwhile: %(keys)s. Look at them and save again.") % {"keys": told},
        )
    return HttpResponseRedirect(with_query(request.path, to=to, p=request.POST.get("p", ""), missing=request.POST.get("missing", "")))


def _uploaded(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    form = TextsFileForm(request.POST, request.FILES)
    if form.is_valid():
        _take(request, scenario, form.cleaned_data["file"], take_base=form.cleaned_data["take_base"])
    return HttpResponseRedirect(request.get_full_path())


def _take(request: HttpRequest, scenario: Scenario, file: Any, *, take_base: bool) -> None:
    format_ = formats.get(PurePath(file.name).suffix.lstrip(".").lower())
    if format_ is None or file.size > MAX_BYTES:
        known = ", ".join(f".{kind}" for kind in formats)
        messages.error(request, _("Choose a file that ends in %(known)s and is not larger than 10 MB.") % {"known": known})
        return
    try:
        applied = saving.save_file(scenario, format_.load(file.read()), take_base=take_base, user=_user(request))
    except FormatError as error:
        messages.error(request, str(error))
        return
    audit.record(request.user, "scenarios.texts.import", scenario, format=format_.kind, changed=len(applied.changed))
    _tell(request, applied)
    if applied.unknown:
        told = {"count": len(applied.unknown), "keys": ", ".join(applied.unknown[:SHOWN])}
        messages.warning(request, _("%(count)s texts of the file do not exist in the draft any more: %(keys)s") % told)
    if applied.stale:
        told = {"count": len(applied.stale), "keys": ", ".join(applied.stale[:SHOWN])}
        messages.warning(request, _("%(count)s base texts differ from those of the file, look at their translations: %(keys)s") % told)


def _tell(request: HttpRequest, applied: Applied) -> None:
    count = len(applied.changed)
    if count:
        messages.success(
            request, ngettext("One text is stored in the draft.", "%(count)s texts are stored in the draft.", count) % {"count": count}
        )
    else:
        messages.info(request, _("Nothing was changed: the draft has these texts already."))


def _named(code: str) -> str:
    """The language's name for people, with its code; only the code of one that has no name."""
    try:
        return f"{get_language_info(code)['name_translated']} ({code})" if code else ""
    except KeyError:
        return code


def _plain(text: str) -> str:
    """Browsers send line ends of their own."""
    return text.replace("\r\n", "\n")


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
