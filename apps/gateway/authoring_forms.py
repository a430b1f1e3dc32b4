"""The forms of answers that the builder's canvas draws: figures, the people behind them, differences. The page's types are made from them."""

from typing import Any

from rest_framework import serializers

from apps.scenarios.builder.serializers import CHANGES, ChangedPlaceSerializer
from apps.scenarios.visitors import COUNTED

Form = serializers.Serializer[Any]


class MeasuredSerializer(Form):
    """Visits of a block or of one of its exits."""

    visits = serializers.IntegerField()
    people = serializers.IntegerField()
    left = serializers.IntegerField()
    ended = serializers.IntegerField()
    waiting = serializers.IntegerField()
    dropped = serializers.IntegerField(help_text="The dialogue is over, and nobody went on from here.")
    errors = serializers.IntegerField()  # type: ignore[assignment]
    median_seconds = serializers.FloatField(allow_null=True)
    p95_seconds = serializers.FloatField(allow_null=True)
    drop_off = serializers.FloatField(help_text="Share of the visits, 0 to 1.")
    error_rate = serializers.FloatField(help_text="Share of the visits, 0 to 1.")
    node = serializers.CharField()


class BlockFiguresSerializer(MeasuredSerializer):
    title = serializers.CharField()
    kind = serializers.CharField()


class WaySerializer(Form):
    node = serializers.CharField(allow_blank=True, help_text="Empty: to no block that is connected, such as another section.")
    visits = serializers.IntegerField()


class ExitFiguresSerializer(MeasuredSerializer):
    exit = serializers.CharField()
    to = WaySerializer(many=True, help_text="Where it led in the version on which each dialogue ran, the most frequent first.")


class Answered(Form):
    success = serializers.BooleanField()
    trace_id = serializers.CharField()


class FiguresSerializer(Answered):
    nodes = BlockFiguresSerializer(many=True)
    edges = ExitFiguresSerializer(many=True)
    versions = serializers.ListField(child=serializers.IntegerField())
    languages = serializers.ListField(child=serializers.CharField())


class VisitSerializer(Form):
    session = serializers.IntegerField()
    visit = serializers.IntegerField(help_text="Which visit of a block in that session.")
    at = serializers.DateTimeField()
    person = serializers.IntegerField()
    name = serializers.CharField(allow_null=True, help_text="Null without the right to see people of the bot.")
    version = serializers.IntegerField()
    fate = serializers.ChoiceField(choices=["left", "ended", "waiting", "dropped"])
    seconds = serializers.FloatField(allow_null=True)
    failed = serializers.BooleanField()
    exit = serializers.CharField(allow_blank=True)
    visits = serializers.IntegerField(help_text="How many of the counted visits are this person's.")
    transcript = serializers.CharField(
        allow_blank=True, help_text="The conversation at that moment; empty when the reader may not open it."
    )
    session_page = serializers.CharField(allow_blank=True)
    way = serializers.CharField(allow_blank=True, help_text="This visit in the trace.")


class VisitsSerializer(Answered):
    visits = VisitSerializer(many=True)
    page = serializers.IntegerField()
    more = serializers.BooleanField()


class ChangedEdgeSerializer(Form):
    node = serializers.CharField()
    exit = serializers.CharField()
    old = serializers.CharField(allow_null=True)
    new = serializers.CharField(allow_null=True)


class DrawnSideSerializer(Form):
    definition = serializers.DictField()
    layout = serializers.DictField()


class DrawnSerializer(Form):
    old = DrawnSideSerializer()
    new = DrawnSideSerializer()


class DifferencesSerializer(Answered):
    old = serializers.CharField(help_text="Number of a version, or “draft”.")
    new = serializers.CharField()
    nodes = serializers.DictField(child=serializers.ChoiceField(choices=CHANGES))
    edges = ChangedEdgeSerializer(many=True)
    changes = ChangedPlaceSerializer(many=True)
    moved = serializers.ListField(child=serializers.CharField(), help_text="Blocks that only lie elsewhere on the canvas.")
    drawn = DrawnSerializer(allow_null=True, help_text="Both sides themselves, when the address asks for them.")


NUMBERS = ", ".join(COUNTED)
