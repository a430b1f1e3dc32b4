import os
from pathlib import Path

import pytest

from tools import places


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of its own under a folder of its own for what lies outside."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "clone" / ".run").mkdir(parents=True)
    monkeypatch.setattr(places, "OUTSIDE", tmp_path / "outside")
    monkeypatch.setattr(places, "CLONE", tmp_path / "clone")
    monkeypatch.setattr(places, "RUN", tmp_path / "clone" / ".run")
    monkeypatch.setattr(places, "SOCKET_PATH_LIMIT", 1000)
    return tmp_path / "clone"


def test_data_lie_in_the_clone(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "others_can_enter", lambda _: True)

    assert places.data_folder() == clone / ".run" / "data"


def test_root_in_a_private_folder_keeps_data_elsewhere_and_opens_nothing(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    clone.chmod(0o700)

    if clone.stat().st_uid == 0:
        assert places.data_folder().parent == places.OUTSIDE
    assert clone.stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_keeps_data_elsewhere(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SOCKET_PATH_LIMIT", 10)

    folder = places.data_folder()

    assert folder.parent == places.OUTSIDE
    assert places.data_folder() == folder
    assert folder.stat().st_mode & 0o777 == 0o711
    assert clone.exists()


def test_data_of_a_removed_clone_are_not_taken_over(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their keys went with the clone's `.run`."""
    monkeypatch.setattr(places, "SOCKET_PATH_LIMIT", 10)
    old = places.data_folder()
    (old / "rows").write_text("written with keys that are gone")
    (clone / ".run" / "place").unlink()

    assert places.data_folder() == old
    assert not (old / "rows").exists()


def test_a_folder_that_somebody_else_prepared_is_refused(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SOCKET_PATH_LIMIT", 10)
    folder = places.data_folder()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.symlink_to(clone)

    with pytest.raises(places.PlaceError, match="belongs to somebody else"):
        places.data_folder()


def test_nobody_passes_a_private_folder(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o700)

    assert not places.others_can_enter(tmp_path / "private")
    assert places.others_can_enter(Path("/usr/bin"))
