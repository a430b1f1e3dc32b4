"""PO files of gettext, one language each: `msgctxt` is the key, `msgid` the base text."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.scenarios.languages.exchange import Format, FormatError, Loaded, Sheet, is_language

ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\x07": "\\a", "\x08": "\\b", "\x0c": "\\f", "\x0b": "\\v"}
UNESCAPES = {escaped[1]: char for char, escaped in ESCAPES.items()}
ESCAPED = re.compile(r"\\([0-7]{1,3}|.)", re.DOTALL)
OTHERS = re.compile("[\x00-\x06\x0e-\x1f\x7f\x85\u2028\u2029]")
STATEMENT = re.compile(r'(msgctxt|msgid|msgstr)\s+"(.*)"\s*')
MORE = re.compile(r'"(.*)"\s*')
BASE = "X-Base-Language"


class Po(Format):
    kind = "po"
    label = gettext_lazy("PO (gettext)")
    content_type = "text/x-gettext-translation"
    one_language = True

    def dump(self, sheet: Sheet) -> bytes:
        language = sheet.languages[0] if sheet.languages else sheet.base
        header = [
            "Content-Type: text/plain; charset=UTF-8",
            "Content-Transfer-Encoding: 8bit",
            f"Language: {language}",
            f"{BASE}: {sheet.base}",
        ]
        parts = ['msgid ""\nmsgstr ""\n' + "\n".join(f'"{line}\\n"' for line in header)]
        for line in sheet.lines:
            place = OTHERS.sub(" ", " ".join(line.place.split()))
            statements = (("msgctxt", line.key), ("msgid", line.texts.get(sheet.base, "")), ("msgstr", line.texts.get(language, "")))
            parts.append("\n".join([f"#. {place}", *(f'{name} "{escaped(text)}"' for name, text in statements)]))
        return ("\n\n".join(parts) + "\n").encode()

    def load(self, body: bytes) -> Loaded:
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FormatError(_("The file is not UTF-8. Save it in that encoding.")) from error
        entries = list(_entries(text))
        header = next((entry["msgstr"] for entry in entries if "msgctxt" not in entry and not entry.get("msgid")), "")
        fields = dict(line.split(": ", 1) for line in header.split("\n") if ": " in line)
        language, base = fields.get("Language", ""), fields.get(BASE, "")
        if not is_language(language) or not is_language(base):
            raise FormatError(
                _("The head of the file must name its language and the base language. Export the texts and change that file.")
            )
        texts = [
            (entry["msgctxt"], {base: entry.get("msgid", ""), language: entry.get("msgstr", "")}) for entry in entries if "msgctxt" in entry
        ]
        return Loaded(texts, list(dict.fromkeys([base, language])))


def escaped(text: str) -> str:
    short = "".join(ESCAPES.get(char, char) for char in text)
    return OTHERS.sub(lambda found: f"\\{ord(found[0]):03o}" if ord(found[0]) < 128 else found[0], short)  # noqa: PLR2004  beyond ASCII nothing ends a line here


def unescaped(text: str) -> str:
    return ESCAPED.sub(lambda found: UNESCAPES.get(found[1], found[1]) if not found[1][0].isdigit() else chr(int(found[1], 8)), text)


def _entries(text: str) -> Iterator[dict[str, str]]:
    """Statements by name, one dictionary an entry. A fuzzy entry's text is a guess of a program and counts as none."""
    entry: dict[str, str] = {}
    name, fuzzy = "", False
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip("\r \t")
        if stripped.startswith("#") or not stripped:
            fuzzy = fuzzy or (stripped.startswith("#,") and "fuzzy" in stripped)
            continue
        if found := STATEMENT.fullmatch(stripped):
            if found[1] in entry or (found[1] == "msgctxt" and entry):
                yield entry
                entry = {}
            name = found[1]
            entry[name] = unescaped(found[2])
            if name == "msgstr" and fuzzy:
                name, fuzzy = _guessed(entry), False
        elif (found := MORE.fullmatch(stripped)) and name:
            entry[name] += unescaped(found[1])
        else:
            raise FormatError(_("Line %(number)s is no line of a PO file.") % {"number": number})
    if entry:
        yield entry


def _guessed(entry: dict[str, str]) -> str:
    """Where the lines of a fuzzy text go; the head of a file is always taken."""
    if "msgctxt" not in entry:
        return "msgstr"
    entry["fuzzy"], entry["msgstr"] = entry["msgstr"], ""
    return "fuzzy"
