"""Tables of texts for translators' programs: one file of `formats/` a format, found by lying there."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from pydantic import TypeAdapter, ValidationError

from apps.core.registry import Registry
from apps.scenarios.engine.params import LanguageCode
from apps.scenarios.languages.texts import Line

KEY, PLACE = "key", "place"
MAX_BYTES = 10 * 1024 * 1024


class FormatError(Exception):
    """The file cannot be read as this format; the text says what to do."""


@dataclass(frozen=True)
class Sheet:
    """What is written. `base` is the language to translate from, `languages` those to translate into."""

    name: str
    base: str
    languages: Sequence[str]
    lines: Sequence[Line]


@dataclass
class Loaded:
    """What was read: texts by key, and the languages that the file speaks of."""

    texts: Sequence[tuple[str, Mapping[str, str]]] = ()
    languages: Sequence[str] = ()


class Format(ABC):
    """A file format. `load` is the inverse of `dump` for every text, whatever its characters."""

    kind: ClassVar[str]
    label: ClassVar[Any]
    content_type: ClassVar[str]
    one_language: ClassVar[bool] = False

    @abstractmethod
    def dump(self, sheet: Sheet) -> bytes:
        """The file."""

    @abstractmethod
    def load(self, body: bytes) -> Loaded:
        """Raises `FormatError`."""


formats: Registry[Format] = Registry("apps.scenarios.languages.formats", Format)


def table(sheet: Sheet) -> list[list[str]]:
    """Header and rows, as spreadsheets hold them."""
    codes = [sheet.base, *sheet.languages]
    return [[KEY, PLACE, *codes], *([line.key, line.place, *(line.texts.get(code, "") for code in codes)] for line in sheet.lines)]


def untable(rows: Sequence[Sequence[str]]) -> Loaded:
    """The inverse of `table`; columns may have been moved. Raises `FormatError`."""
    if not rows or KEY not in rows[0]:
        raise FormatError(_("The first row must name the columns: “key”, then the languages. Export the texts and change that file."))
    header = list(rows[0])
    codes = {place: name for place, name in enumerate(header) if name and name not in {KEY, PLACE}}
    wrong = [name for name in codes.values() if not is_language(name)]
    if wrong:
        raise FormatError(_("“%(name)s” is no code of a language. Write codes such as en, ru or uk.") % {"name": wrong[0][:40]})
    key_at = header.index(KEY)
    texts = [
        (row[key_at], {code: row[place] if place < len(row) else "" for place, code in codes.items()})
        for row in rows[1:]
        if len(row) > key_at and row[key_at]
    ]
    return Loaded(texts, list(codes.values()))


_code: TypeAdapter[str] = TypeAdapter(LanguageCode)


def is_language(code: str) -> bool:
    try:
        _code.validate_python(code)
    except ValidationError:
        return False
    return True
