"""The two views."""

import hashlib
import hmac
import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.baselines.shop import tasks, work
from bench.baselines.shop.models import ApiToken


class HashedToken(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, ApiToken]:
        clear = request.headers.get("Authorization", "").removeprefix("Bearer ")
        row = ApiToken.objects.filter(digest=hashlib.sha256(clear.encode()).hexdigest()).first()
        if row is None:
            raise AuthenticationFailed
        return None, row


class OrderSerializer(serializers.Serializer[Any]):
    userId = serializers.IntegerField()  # noqa: N815  the name of the API
    order = serializers.IntegerField()
    amount = serializers.IntegerField()
    customer = serializers.CharField(max_length=100)


class OrderView(APIView):
    """B1."""

    authentication_classes = [HashedToken]

    def post(self, request: Request) -> Response:
        serializer = OrderSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = dict(serializer.validated_data)
        if settings.ONE_TASK_PER_EVENT:
            tasks.order.delay(data)
        else:
            work.order(data)
        return Response({"success": True})


@csrf_exempt
def webhook(request: HttpRequest) -> HttpResponse:
    """B2."""
    given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
    if not hmac.compare_digest(given, settings.WEBHOOK_SECRET):
        return JsonResponse({"success": False}, status=403)
    message = json.loads(request.body)["message"]
    if settings.ONE_TASK_PER_EVENT:
        tasks.answer.delay(message["chat"]["id"], message["text"])
    else:
        work.answer(message["chat"]["id"], message["text"])
    return JsonResponse({"success": True})
