"""Kinds found by lying in a folder.

A kind (a messenger, a block, an action) is one class in one file. Nothing lists it: the registry imports the
folder's modules on first use and takes the subclasses of the contract class that are defined there.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar, Protocol, TypeVar


class Kind(Protocol):
    """What every registered class declares: a stable code and a text for people."""

    kind: ClassVar[str]
    label: ClassVar[Any]


K = TypeVar("K")


class DuplicateKindError(Exception):
    """Two classes claim the same kind; names both, so that one can be renamed."""


class Registry(Mapping[str, K]):
    """One instance of each kind in `package` (and in the packages that an installation adds), by its code.

    `base` is the contract class; `extra` returns further package names, read from settings on first use.
    """

    def __init__(self, package: str, base: type[Any], *, extra: Callable[[], list[str]] = list) -> None:
        self.package = package
        self.base = base
        self.extra = extra

    def __getitem__(self, kind: str) -> K:
        return self._kinds[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def choices(self) -> list[tuple[str, str]]:
        """Pairs for a form field, in the order of the kinds' codes; usable as callable `choices`."""
        kinds: dict[str, Any] = self._kinds
        return [(kind, str(value.label)) for kind, value in kinds.items()]

    @cached_property
    def _kinds(self) -> dict[str, K]:
        found: dict[str, Any] = {}
        for package in [self.package, *self.extra()]:
            for cls in self._classes(package):
                other = found.setdefault(cls.kind, cls)
                if other is not cls:
                    raise DuplicateKindError(
                        f"{cls.kind!r} is claimed by {other.__qualname__} in {other.__module__} "
                        f"and by {cls.__qualname__} in {cls.__module__}"
                    )
        return {kind: found[kind]() for kind in sorted(found)}

    def _classes(self, package: str) -> Iterator[Any]:
        folder = importlib.import_module(package)
        for module_info in pkgutil.iter_modules(folder.__path__):
            module = importlib.import_module(f"{package}.{module_info.name}")
            for value in vars(module).values():
                if self._is_kind(value, module.__name__):
                    yield value

    def _is_kind(self, value: object, module: str) -> bool:
        return (
            isinstance(value, type)
            and issubclass(value, self.base)
            and value.__module__ == module
            and isinstance(getattr(value, "kind", None), str)
        )
