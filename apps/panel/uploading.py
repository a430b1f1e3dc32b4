"""Files that visitors send: taken in, checked by content, given out again as downloads from signed links."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models.functions import Now
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.bots.content import Media
from apps.conversations import filelinks
from apps.conversations.models import Attachment
from apps.core.filetypes import DOWNLOAD, HEAD_BYTES, INLINE, file_type, safe_name
from apps.panel.models import WidgetUpload, WidgetVisitor

MAX_BYTES = 20 * 1024 * 1024
UNUSED_FOR = timedelta(days=1)


class UploadRefusedError(Exception):
    """`reason` is for the visitor, `code` for programs."""

    def __init__(self, reason: str, *, code: str, status: int) -> None:
        super().__init__(reason)
        self.reason, self.code, self.status = reason, code, status


def store(visitor: WidgetVisitor, file: "UploadedFile[Any]") -> WidgetUpload:
    """Keep a file for one message of this visitor. Raises `UploadRefusedError`."""
    size = file.size or 0
    if size > MAX_BYTES:
        raise UploadRefusedError(
            _("The file is larger than %(limit)s MB.") % {"limit": MAX_BYTES // 1024 // 1024}, code="too_large", status=413
        )
    name = safe_name(file.name or "")
    file.seek(0)
    found = file_type(file.read(HEAD_BYTES), name=name)
    if found is None:
        reason = _("Files of this type are not accepted. Send an image, a PDF, a document, text, sound or film.")
        raise UploadRefusedError(reason, code="type_refused", status=415)
    file.seek(0)
    attachment = Attachment(
        channel_id=visitor.channel_id,
        kind=found.kind,
        name=name,
        mime=found.mime,
        size=size,
        state=Attachment.State.STORED,
    )
    attachment.file.save(name, file, save=False)
    with transaction.atomic():
        attachment.save()
        return WidgetUpload.objects.create(visitor=visitor, attachment=attachment)


def upload_id(upload: WidgetUpload) -> str:
    return f"u_{upload.attachment.uid.hex}"


def use(visitor: WidgetVisitor, upload_id: object, *, client_message_id: str) -> Media | None:
    """The upload as a part of this message; None when it is not this visitor's or another message has used it. Repeating is harmless."""
    text = str(upload_id)
    uid = text.removeprefix("u_")
    if not text.startswith("u_") or len(uid) != 32 or not uid.isalnum() or not uid.isascii():  # noqa: PLR2004
        return None
    mine = WidgetUpload.objects.filter(visitor=visitor, attachment__uid=uid)
    mine.filter(used_by="").update(used_by=client_message_id)
    upload = mine.filter(used_by=client_message_id).select_related("attachment").first()
    if upload is None:
        return None
    file = upload.attachment
    return Media(kind=file.kind, name=file.name, mime=file.mime, size=file.size, attachment=file.pk, uid=file.uid.hex)


@require_safe
def serve(_request: HttpRequest, signed: str) -> HttpResponseBase:
    """A stored file behind a signed link. Always as a download: images are shown by `<img>`, which does not mind, and nothing else is run."""
    row = filelinks.found(signed)
    if row is None:
        raise Http404
    if not row.file:  # it was told before it was here
        return HttpResponse(status=503, headers={"Retry-After": "2"})
    try:
        stream = row.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(stream, content_type=row.mime if row.mime in INLINE else DOWNLOAD)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(safe_name(row.name))}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def remove_unused() -> int:
    """Deletes uploads that no message has used for a day, with their files; returns how many."""
    removed = 0
    for upload in WidgetUpload.objects.filter(used_by="", created_at__lt=Now() - UNUSED_FOR).select_related("attachment")[:500]:
        upload.attachment.file.delete(save=False)
        upload.attachment.delete()
        removed += 1
    return removed
