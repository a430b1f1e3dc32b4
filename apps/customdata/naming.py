"""Names that become addresses, placeholders and columns of the BI tool: which are allowed, and what a name without an alias becomes."""

import re
import unicodedata
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_ALIAS = 40
MAX_NAME = 100
_FORM = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
# What placeholders, the API or SQL already mean by a word.
RESERVED_FIELDS = frozenset(
    {
        "id", "pk", "version", "created_at", "updated_at", "record", "record_id", "constants", "instance_settings", "table", "values", "errors",
        "user", "order", "limit", "after", "filter", "filters", "search", "cursor", "fields", "self", "true", "false", "null", "none", "ctid", "xmin",
        "xmax", "cmin", "cmax", "tableoid", "oid", "select", "from", "where", "and", "or", "not", "group", "all",
    }
)  # fmt: skip
RESERVED_TABLES = frozenset(
    {
        "add", "new", "search", "import", "export", "imports", "schema", "docs", "openapi", "bulk", "table", "tables", "record", "records", "field",
        "fields", "admin", "data", "lookup", "files", "file", "history", "select", "from", "where", "user", "constants", "instance_settings", "public",
        "pg_catalog", "information_schema", "bi",
    }
)  # fmt: skip
_LATIN = dict(
    zip(
        "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґқғүұһөәңў",
        ["a", "b", "v", "g", "d", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch",
         "", "y", "", "e", "yu", "ya", "yo", "i", "yi", "ye", "g", "q", "gh", "u", "u", "h", "o", "a", "ng", "u"],
        strict=True,
    )
)  # fmt: skip


def check_alias(alias: str, *, reserved: Collection[str]) -> None:
    """Small Latin letters, digits and “_”: one look, one meaning. Raises ValidationError."""
    if not _FORM.fullmatch(alias) or alias.endswith("_"):
        raise ValidationError(
            _("“%(alias)s” cannot be an alias. Use small Latin letters, digits and “_”, beginning with a letter, e.g. order_number."),
            code="alias_form",
            params={"alias": alias[:MAX_ALIAS]},
        )
    if len(alias) > MAX_ALIAS:
        raise ValidationError(_("The alias has more than %(limit)s characters."), code="alias_long", params={"limit": MAX_ALIAS})
    if alias in reserved or alias.startswith(("pg_", "f_", "t_")):
        raise ValidationError(_("“%(alias)s” is reserved. Take another alias."), code="alias_reserved", params={"alias": alias})


def clean_name(name: str) -> str:
    """One line without characters that cannot be seen or that turn the direction of reading. Raises ValidationError."""
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if not plain:
        raise ValidationError(_("Give a name."), code="name_empty")
    if len(plain) > MAX_NAME:
        raise ValidationError(_("The name has more than %(limit)s characters."), code="name_long", params={"limit": MAX_NAME})
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"} for char in plain):
        raise ValidationError(_("The name contains characters that cannot be seen. Type it anew."), code="name_invisible")
    return plain


def same_name(name: str) -> str:
    """What two names have in common that look the same to a reader."""
    return unicodedata.normalize("NFKC", name).casefold()


def alias_from(name: str, *, taken: Collection[str] = (), reserved: Collection[str] = RESERVED_FIELDS, otherwise: str = "field") -> str:
    """An alias made of a name: “Номер заказа” → `nomer_zakaza`; numbered when it is taken or reserved."""
    latin = "".join(_LATIN.get(char, char) for char in name.casefold())
    ascii_only = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")[: MAX_ALIAS - 5].strip("_")
    if not plain or not plain[0].isalpha() or plain.startswith(("pg_", "f_", "t_")):
        plain = f"{otherwise}_{plain}".strip("_")
    unavailable = {*taken, *reserved}
    return next(found for found in (plain, *(f"{plain}_{number}" for number in range(2, 10_000))) if found not in unavailable)
