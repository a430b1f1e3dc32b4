"""Files of the business: what they are is told by their content; they are kept, shown and given out safely."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import Role, RoleAssignment, User
from apps.conversations import filelinks
from apps.core.models import StoredFile

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
ADD = "/admin/core/storedfile/add/"


@pytest.fixture
def signed_in(client: Client) -> Callable[[str], Client]:
    def sign_in(role: str) -> Client:
        user = User.objects.create_user(role, is_staff=True)
        RoleAssignment.objects.create(user=user, role=Role.objects.get(key=role))
        client.force_login(user)
        return client

    return sign_in


def upload(content: bytes = PNG, name: str = "Price list.png", **fields: Any) -> dict[str, Any]:
    return {"key": "price-list", "file": SimpleUploadedFile(name, content), "name": "", "description": "", **fields}


def test_a_file_is_uploaded_and_known_by_its_content(signed_in: Callable[[str], Client]) -> None:
    assert signed_in("integrator").post(ADD, upload(name="x/Price list.exe")).status_code == 302
    row = StoredFile.objects.get()
    assert (row.key, row.name, row.kind, row.mime, row.size) == ("price-list", "Price list.exe", "image", "image/png", len(PNG))
    assert str(row.file.name).startswith("files/")
    assert "exe" not in str(row.file.name)


def test_a_new_content_takes_its_own_name_and_type(signed_in: Callable[[str], Client]) -> None:
    page = signed_in("integrator")
    page.post(ADD, upload())
    row = StoredFile.objects.get()
    page.post(f"/admin/core/storedfile/{row.pk}/change/", {**upload(b"%PDF-1.7", "act.pdf"), "name": row.name})
    row.refresh_from_db()
    assert (row.name, row.kind, row.mime) == ("act.pdf", "file", "application/pdf")
    page.post(f"/admin/core/storedfile/{row.pk}/change/", {"key": "act", "name": "Act.pdf", "description": "", "file": ""})
    row.refresh_from_db()
    assert (row.key, row.name, row.mime) == ("act", "Act.pdf", "application/pdf")


@pytest.mark.parametrize(("content", "name"), [(b"\x7fELF\x02\x01\x01\x00", "run.png"), (b"MZ\x90\x00\x03\x00", "a.exe")])
def test_programs_are_refused(signed_in: Callable[[str], Client], content: bytes, name: str) -> None:
    errors = signed_in("integrator").post(ADD, upload(content, name)).context["adminform"].form.errors
    assert errors == {"file": ["Files of this type are not accepted. Take an image, a PDF, a document, text, sound or film."]}
    assert not StoredFile.objects.exists()


def fetch(client: Client, address: str) -> Any:
    """The answer, its stream read into `read`."""
    answer: Any = client.get(address)
    answer.read = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer


def made(content: bytes = PNG, mime: str = "image/png", name: str = "a.png") -> StoredFile:
    row = StoredFile(key="a", name=name, kind="image", mime=mime, size=len(content))
    row.file.save("a", ContentFile(content), save=True)
    return row


@pytest.mark.parametrize(("role", "status"), [("integrator", 200), ("communications_manager", 200), ("operator", 404), ("analyst", 404)])
def test_who_may_see_settings_may_see_files(signed_in: Callable[[str], Client], role: str, status: int) -> None:
    row = made()
    answer = fetch(signed_in(role), f"/admin/core/storedfile/{row.pk}/file/")
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("mime", "told"), [("image/png", "image/png"), ("image/svg+xml", "application/octet-stream"), ("text/html", "application/octet-stream")]
)
def test_what_could_run_is_only_ever_downloaded(signed_in: Callable[[str], Client], mime: str, told: str) -> None:
    answer = fetch(signed_in("integrator"), f"/admin/core/storedfile/{made(mime=mime).pk}/file/")
    assert (answer.headers["Content-Type"], answer.headers["X-Content-Type-Options"]) == (told, "nosniff")
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_signed_link_gives_a_file_out_and_stays_the_same_for_a_while(client: Client) -> None:
    row = made()
    link = filelinks.of(row)
    answer = fetch(client, link)
    assert (answer.status_code, answer.read) == (200, PNG)
    assert filelinks.of(row) == link
    assert client.get(link[:-2] + "xx").status_code == 404
    row.delete()
    assert client.get(link).status_code == 404
