"""Model fields of record tables: text compared without case, and encrypted values of any kind."""

import json
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Lookup, Transform
from django.db.models.expressions import Func, Value

from apps.core.fields import EncryptedTextField

FOLD = "records.fold"

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
    _DecimalField = models.DecimalField[Any, Any]
    _Lookup = Lookup[Any]
else:
    _TextField, _DecimalField, _Lookup = models.TextField, models.DecimalField, Lookup


class TextColumn(_TextField):
    """Text with the lookups `folded` (equal), `folded_contains`, `folded_starts` and the transform `fold`, all without case in any script."""


@TextColumn.register_lookup
class Fold(Transform):
    """As the index has it: `records.fold(column)`."""

    lookup_name = "fold"
    function = FOLD


def folded(text: str) -> Func:
    """The right side of a comparison with `__fold`."""
    return Func(Value(text), function=FOLD, output_field=models.TextField())


class _Folded(_Lookup):
    operator = "="
    pattern = "%s"

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        lhs, left_params = self.process_lhs(compiler, connection)
        text = str(self.rhs)
        if self.operator == "LIKE":
            text = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        value = self.pattern.replace("%s", text)
        return f"{FOLD}({lhs}) {self.operator} {FOLD}(%s)", [*left_params, value]


@TextColumn.register_lookup
class Folded(_Folded):
    lookup_name = "folded"


@TextColumn.register_lookup
class FoldedContains(_Folded):
    lookup_name = "folded_contains"
    operator = "LIKE"
    pattern = "%%s%"


@TextColumn.register_lookup
class FoldedStarts(_Folded):
    lookup_name = "folded_starts"
    operator = "LIKE"
    pattern = "%s%"


class NumberColumn(_DecimalField):
    """An exact number as it was given, without a fixed scale."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 40, "decimal_places": 10})

    def db_type(self, _connection: Any) -> str:
        return "numeric"


class SealedColumn(EncryptedTextField):
    """A personal value of any kind: its JSON form, encrypted. Asked for exact values through the digest column beside it."""

    def __init__(self, *args: Any, kind: Any = None, declared: Any = None, **kwargs: Any) -> None:
        self.kind, self.declared = kind, declared
        super().__init__(*args, **kwargs)

    def dump(self, value: Any) -> str:
        return json.dumps(self.kind.dump(self.declared, value), ensure_ascii=False)

    def load(self, text: str) -> Any:
        """Values that were stored under former options are given as they are."""
        plain = json.loads(text)
        try:
            return self.kind.clean(self.declared, plain)
        except ValueError:
            return plain

    def to_python(self, value: Any) -> Any:
        return value
