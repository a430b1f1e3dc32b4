"""The builder's API: for signed-in staff, on scenarios of their bots. Reading needs the right to view, saving the right to edit."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.access import can_object, scoped
from apps.accounts.models import User
from apps.scenarios.builder import conflicts, drafts, presence
from apps.scenarios.builder.describing import describe
from apps.scenarios.builder.linting import lint
from apps.scenarios.builder.serializers import (
    BuilderMetadataSerializer,
    ConflictSerializer,
    DraftSaveSerializer,
    DraftSerializer,
    LintRequestSerializer,
    LintSerializer,
    PresenceRequestSerializer,
    PresenceSerializer,
)
from apps.scenarios.engine.contract import Json
from apps.scenarios.models import Scenario
from apps.scenarios.versions.differing import Side

TAGS = ["Builder"]
IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True, description="The revision that was read, as in the ETag."
)
STALE = OpenApiResponse(ConflictSerializer, "Somebody else has saved meanwhile")


class RevisionMissingError(APIException):
    """A save that does not say on which revision it stands would overwrite others unseen."""

    status_code = 428
    default_code = "precondition_required"
    default_detail = "Name the revision that you read in the header If-Match."


class TooLargeError(APIException):
    status_code = 413
    default_code = "too_large"


class BuilderView(APIView):
    """Ground of the views: the scenario by its id, for staff who may see it."""

    permission_classes = [IsAdminUser]

    def scenario(self, request: Request, pk: int) -> Scenario:
        rows = scoped(Scenario.objects.select_related("bot", "published"), request.user, "view")
        found = rows.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found


class MetadataView(BuilderView):
    @extend_schema(
        operation_id="describe_builder",
        tags=TAGS,
        summary="Blocks, actions, operators, filters, names and limits for the builder of one scenario",
        responses=BuilderMetadataSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        return Response(describe(self.scenario(request, pk).bot))


class LintView(BuilderView):
    @extend_schema(
        operation_id="check_draft",
        tags=TAGS,
        summary="Problems of a definition, with block and field; nothing is stored",
        request=LintRequestSerializer,
        responses=LintSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        scenario = self.scenario(request, pk)
        return Response(lint(_checked(LintRequestSerializer, request)["definition"], bot=scenario.bot, own=scenario.pk))


class DraftView(BuilderView):
    @extend_schema(operation_id="read_draft", tags=TAGS, summary="The draft with its revision", responses=DraftSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return _answer(self.scenario(request, pk), request)

    @extend_schema(
        operation_id="save_draft",
        tags=TAGS,
        summary="Save the draft unless somebody else has saved since it was read",
        parameters=[IF_MATCH],
        request=DraftSaveSerializer,
        responses={200: DraftSerializer, 412: STALE},
    )
    def put(self, request: Request, pk: int) -> Response:
        scenario, user = self.scenario(request, pk), _staff(request)
        if not can_object(user, "edit", scenario):
            raise PermissionDenied(_("You may look at this scenario but not change it. Ask an administrator for the right."))
        based_on = _revision(request)
        given = _checked(DraftSaveSerializer, request)
        try:
            saved = drafts.save(scenario, definition=given["definition"], layout=given["layout"], based_on=based_on, user=user)
        except drafts.DraftTooLargeError as error:
            raise TooLargeError(str(error)) from error
        except drafts.StaleRevisionError as stale:
            return _refused(stale.theirs, given, based_on)
        return _answer(saved, request)


class PresenceView(BuilderView):
    @extend_schema(
        operation_id="meet_editors",
        tags=TAGS,
        summary="Say that a window is open on this scenario; who else has it open, and the draft's revision",
        request=PresenceRequestSerializer,
        responses=PresenceSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        scenario, given = self.scenario(request, pk), _checked(PresenceRequestSerializer, request)
        if given["leave"]:
            presence.leave(scenario.pk, window=given["window"])
            return Response({"revision": scenario.draft_version, "others": []})
        others = presence.meet(scenario.pk, user=_staff(request), window=given["window"], node=given["node"])
        return Response({"revision": scenario.draft_version, "others": others})


def _staff(request: Request) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _checked(form: Any, request: Request) -> dict[str, Any]:
    serializer = form(data=request.data)
    serializer.is_valid(raise_exception=True)
    given: dict[str, Any] = serializer.validated_data
    return given


def _revision(request: Request) -> int:
    text = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdecimal() or len(text) > 9:  # noqa: PLR2004  an integer of the database
        raise RevisionMissingError
    return int(text)


def _etag(scenario: Scenario) -> dict[str, str]:
    return {"ETag": f'"{scenario.draft_version}"', "Cache-Control": "no-store"}


def _refused(stored: Scenario, given: Json, based_on: int) -> Response:
    base = given.get("base")
    mine = Side("yours", given["definition"], given["layout"])
    ground = Side("base", base["definition"], base["layout"]) if base else None
    detail = _("Somebody else has saved this scenario meanwhile. Nothing of yours is lost: bring both together.")
    theirs = {**drafts.shown(stored), "may_edit": True}
    told = conflicts.told(stored, based_on=based_on, mine=mine, base=ground)
    return Response({"detail": detail, "theirs": theirs, **told}, status=412, headers=_etag(stored))


def _answer(scenario: Scenario, request: Request) -> Response:
    data = {**drafts.shown(scenario), "may_edit": can_object(request.user, "edit", scenario)}
    return Response(data, headers=_etag(scenario))
