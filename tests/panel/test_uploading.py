"""Files of visitors."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now

from apps.bots.models import Channel
from apps.conversations.models import Attachment
from apps.core import crypto
from apps.core.filetypes import file_type, safe_name
from apps.panel import uploading, visitors
from apps.panel.models import WidgetUpload, WidgetVisitor
from tests.panel.visiting import Visitor, talk, visit

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (PNG, "a.exe", ("image", "image/png")),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 9, "a.jpg", ("image", "image/jpeg")),
        (b"GIF89a" + b"\x00" * 9, "a.gif", ("image", "image/gif")),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "a.webp", ("image", "image/webp")),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "a.wav", ("audio", "audio/wav")),
        (b"%PDF-1.7\n", "a.pdf", ("file", "application/pdf")),
        (b"\x00\x00\x00\x18ftypmp42", "a.mp4", ("video", "video/mp4")),
        (b"\x00\x00\x00\x18ftypM4A ", "a.m4a", ("audio", "audio/mp4")),
        (b"OggS\x00\x02", "a.ogg", ("audio", "audio/ogg")),
        (zipped(), "a.docx", ("file", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")),
        (zipped(), "a", ("file", "application/zip")),
        ("Привет".encode(), "a.txt", ("file", "text/plain")),
        ("я".encode() * 3000, "a.txt", ("file", "text/plain")),
        (SVG, "a.png", ("file", "image/svg+xml")),
        (b"<!doctype html><script>alert(1)</script>", "a.png", ("file", "text/html")),
    ],
)
def test_a_file_is_what_its_bytes_say(content: bytes, name: str, expected: tuple[str, str]) -> None:
    found = file_type(content[:4096], name=name)
    assert found is not None
    assert (found.kind, found.mime) == expected


@pytest.mark.parametrize("content", [b"", b"   ", b"MZ\x90\x00\x03", b"\x7fELF\x02\x01", b"\x00\x01\x02\x03", b"\xfe\xff\x00a"])
def test_programs_and_unknown_bytes_are_not_accepted(content: bytes) -> None:
    assert file_type(content, name="photo.png") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("фото.png", "фото.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ('a"b\r\nX: y.txt', "abX y.txt"),
        ("", "file"),
        ("\u202egnp.exe", "gnp.exe"),
        ("..", "file"),
    ],
)
def test_names_are_made_harmless(name: str, expected: str) -> None:
    assert safe_name(name) == expected


def send(visitor: Visitor, content: bytes = PNG, name: str = "photo.png") -> Any:
    return visitor.client.post(
        "/widget/v1/uploads",
        {"file": SimpleUploadedFile(name, content)},
        headers={"Origin": visitor.origin, "Authorization": f"Bearer {visitor.session['visitor_token']}"},
    )


@pytest.mark.django_db
def test_an_upload_becomes_a_message_and_is_given_out_by_a_signed_link(widget: Channel) -> None:
    visitor = visit(widget)
    stored = send(visitor).json()
    assert (stored["kind"], stored["mime"], stored["size"], stored["name"]) == ("image", "image/png", len(PNG), "photo.png")
    talk(visitor, type="file", upload_id=stored["upload_id"])
    shown = visitor.events()["events"][0]["message"]["media"][0]
    answer: Any = visitor.client.get(shown["url"])
    assert b"".join(answer.streaming_content) == PNG
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''photo.png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize(("content", "name"), [(SVG, "a.svg"), (b"<html><script>alert(1)</script>", "a.html"), (b"%PDF-1.7", "a.pdf")])
def test_what_could_run_is_only_ever_downloaded(widget: Channel, content: bytes, name: str) -> None:
    visitor = visit(widget)
    stored = send(visitor, content, name).json()
    assert stored["kind"] == "file"
    answer = visitor.client.get(stored["url"])
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    answer.close()


@pytest.mark.django_db
def test_a_link_is_worth_nothing_when_changed_or_made_for_something_else(widget: Channel) -> None:
    visitor = visit(widget)
    url = send(visitor).json()["url"]
    uid = str(Attachment.objects.get().uid)
    for wrong in (
        url[:-1],
        url + "x",
        f"/widget/v1/files/{uid}",
        f"/widget/v1/files/{crypto.sign(uid, purpose='other', ttl=60)}",
        f"/widget/v1/files/{crypto.sign(uid, purpose='widget-file', ttl=-1)}",
    ):
        assert visitor.client.get(wrong).status_code == 404, wrong


@pytest.mark.django_db
def test_another_visitors_upload_cannot_be_named(widget: Channel) -> None:
    upload_id = send(visit(widget)).json()["upload_id"]
    answer = visit(widget).say(type="file", upload_id=upload_id, text=None)
    assert (answer.status_code, answer.json()["code"]) == (404, "upload_not_found")


@pytest.mark.django_db
def test_an_upload_is_used_by_one_message(widget: Channel) -> None:
    visitor = visit(widget)
    upload_id = send(visitor).json()["upload_id"]
    first = {"type": "file", "upload_id": upload_id, "client_message_id": "one", "text": None}
    assert visitor.say(**first).status_code == 202
    assert visitor.say(**first).json()["repeated"] is True
    assert visitor.say(**{**first, "client_message_id": "two"}).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"MZ\x90\x00", 415, "type_refused"), (b"", 415, "type_refused"), (PNG + b"\x00" * (20 * 1024 * 1024), 413, "too_large")],
)
def test_what_is_not_taken_says_why(widget: Channel, content: bytes, status: int, code: str) -> None:
    answer = send(visit(widget), content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Attachment.objects.exists()


@pytest.mark.django_db
def test_a_call_without_a_file_is_refused(widget: Channel) -> None:
    assert visit(widget).call("post", "uploads", {}).status_code == 400


@pytest.mark.django_db
def test_unused_uploads_are_removed_after_a_day_and_used_ones_stay(widget: Channel) -> None:
    visitor = visit(widget)
    used, unused = send(visitor).json(), send(visitor, name="other.png").json()
    visitor.say(type="file", upload_id=used["upload_id"], text=None)
    names = {row.name: str(row.file.name) for row in Attachment.objects.all()}
    assert uploading.remove_unused() == 0
    WidgetUpload.objects.update(created_at=Now() - timedelta(hours=25))
    assert uploading.remove_unused() == 1
    assert [row.name for row in Attachment.objects.all()] == ["photo.png"]
    assert default_storage.exists(names["photo.png"])
    assert not default_storage.exists(names["other.png"])
    assert unused["upload_id"] != used["upload_id"]


@pytest.mark.django_db
def test_expired_visitors_are_removed(widget: Channel) -> None:
    visitor, other = visit(widget), visit(widget)
    visitor.call("post", "sign-out", {})
    assert visitors.remove_expired() == 1
    assert [row.chat_id for row in WidgetVisitor.objects.all()] == [other.session["chat_id"]]
