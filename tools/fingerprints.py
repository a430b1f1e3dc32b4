"""Whether files have changed: one short text for the state of many."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

PRODUCT = ("apps", "config", "fixtures")
NOT_SOURCES = {"node_modules", "dist", "__pycache__"}


def of_product(clone: Path) -> str:
    """Changes with anything that may change the database: code, settings, dependencies."""
    sources = [path for folder in PRODUCT for path in sources_in(clone / folder)]
    return of_files(clone, [*sources, clone / "requirements.lock"])


def sources_in(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not NOT_SOURCES & set(path.relative_to(folder).parts)]


def of_files(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
