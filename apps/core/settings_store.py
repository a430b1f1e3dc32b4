"""Instance settings and constants as scenarios see them."""

from typing import Any

from apps.core.cached import CachedTable
from apps.core.models import Constant, InstanceSetting


def _load_settings() -> tuple[dict[str, str], frozenset[str]]:
    rows = list(InstanceSetting.objects.all())
    return {row.key: row.value for row in rows}, frozenset(row.key for row in rows if row.is_secret)


def _load_constants() -> dict[str, Any]:
    return dict(Constant.objects.values_list("key", "value"))


_settings: CachedTable[tuple[dict[str, str], frozenset[str]]] = CachedTable(lambda: InstanceSetting, _load_settings)
_constants: CachedTable[dict[str, Any]] = CachedTable(lambda: Constant, _load_constants)


def instance_settings() -> tuple[dict[str, str], frozenset[str]]:
    """All values by key in clear, and which keys are secret; right within half a second after a change anywhere."""
    values, secret = _settings.get()
    return dict(values), secret


def constants() -> dict[str, Any]:
    """All constants by key; right within half a second after a change anywhere."""
    return dict(_constants.get())


def forget() -> None:
    """After a change in this process: read again at the next call."""
    _settings.forget()
    _constants.forget()
