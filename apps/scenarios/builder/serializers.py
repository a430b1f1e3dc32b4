"""The forms of the builder's API, for its checks, its description and the types of the page."""

from typing import Any

from rest_framework import serializers


class ExitSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    failure = serializers.BooleanField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    waits = serializers.BooleanField()
    leads = serializers.ChoiceField(choices=["", "section", "caller"], help_text="Where it goes by itself; then it is not drawn.")
    section = serializers.CharField(allow_blank=True)
    entry = serializers.CharField(allow_blank=True)


class GroupSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class BlockKindSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    icon = serializers.CharField()
    group = serializers.CharField()
    begins = serializers.CharField(allow_blank=True, help_text="“section”: begins a section, “entry”: has an alias, else empty.")
    schema = serializers.DictField(help_text="JSON Schema of the parameters.")
    exits = ExitSerializer(many=True, help_text="Those of a new block; afterwards the check tells them.")


class ActionKindSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField(allow_blank=True)
    schema = serializers.DictField()
    exits = ExitSerializer(many=True)


class OperatorSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    takes = serializers.CharField(help_text="How many values stand on the right: none, one, two, list.")


class FilterSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    example = serializers.CharField()
    help = serializers.CharField()


class NameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["system", "person", "constant", "setting"])
    help = serializers.CharField(allow_blank=True)


class ChannelLimitsSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    inline_buttons = serializers.IntegerField()
    reply_buttons = serializers.IntegerField()
    buttons_per_row = serializers.IntegerField()
    label_chars = serializers.IntegerField()
    text_chars = serializers.IntegerField()
    media = serializers.ListField(child=serializers.CharField())


class BuilderMetadataSerializer(serializers.Serializer[Any]):
    groups = GroupSerializer(many=True)
    blocks = BlockKindSerializer(many=True)
    actions = ActionKindSerializer(many=True)
    operators = OperatorSerializer(many=True)
    filters = FilterSerializer(many=True)
    names = NameSerializer(many=True)
    files = serializers.ListField(child=serializers.CharField())
    channels = ChannelLimitsSerializer(many=True)
    definition_schema = serializers.DictField(help_text="JSON Schema of everything outside blocks.")


class ProblemSerializer(serializers.Serializer[Any]):
    level = serializers.ChoiceField(choices=["error", "warning"])
    code = serializers.CharField()
    message = serializers.CharField()
    section = serializers.CharField(allow_blank=True)
    node = serializers.CharField(allow_blank=True)
    field = serializers.CharField(allow_blank=True, help_text="Path of the parameter, such as params.buttons.0.1.label or exits.next.")


class NodeFactsSerializer(serializers.Serializer[Any]):
    exits = ExitSerializer(many=True)
    sets = serializers.ListField(child=serializers.CharField(), help_text="Variables that the block sets; “*” when only the run can tell.")


class LintSerializer(serializers.Serializer[Any]):
    problems = ProblemSerializer(many=True)
    nodes = serializers.DictField(child=NodeFactsSerializer())


class LintRequestSerializer(serializers.Serializer[Any]):
    definition = serializers.JSONField()


class DocumentSerializer(serializers.Serializer[Any]):
    definition = serializers.DictField()
    layout = serializers.DictField()


class DraftSaveSerializer(DocumentSerializer):
    base = DocumentSerializer(
        required=False,
        help_text="The draft as it was read; with it a refusal can tell what each side has changed since, and where both have.",
    )


class DraftSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    key = serializers.CharField()
    bot = serializers.CharField()
    revision = serializers.IntegerField(help_text="Also the ETag; give it back as If-Match.")
    definition = serializers.DictField()
    layout = serializers.DictField()
    saved_at = serializers.DateTimeField()
    saved_by = serializers.CharField(allow_blank=True)
    published = serializers.IntegerField(allow_null=True, help_text="Number of the version that runs.")
    differs = serializers.BooleanField(help_text="Whether the draft differs from the version that runs.")
    may_edit = serializers.BooleanField()


CHANGES = ["added", "changed", "removed"]


class ChangedFieldSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    old = serializers.CharField(allow_null=True)
    new = serializers.CharField(allow_null=True)


class ChangedPlaceSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=CHANGES)
    place = serializers.CharField(help_text="In words: section, block and kind.")
    node = serializers.CharField(allow_blank=True)
    fields = ChangedFieldSerializer(many=True)  # type: ignore[assignment]


class SaveSerializer(serializers.Serializer[Any]):
    by = serializers.CharField(allow_blank=True, help_text="Empty when a program saved.")
    at = serializers.DateTimeField()


class ConflictSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()
    theirs = DraftSerializer()
    saves = SaveSerializer(many=True, help_text="Who has saved since, the newest first.")
    compared = serializers.ChoiceField(
        choices=["base", "yours"], help_text="With what theirs was compared: with the common ground, or, when it is not known, with yours."
    )
    changes = ChangedPlaceSerializer(many=True, help_text="What they have changed, in words.")
    yours = ChangedPlaceSerializer(many=True, help_text="What you have changed; empty when the common ground is not known.")
    collides = serializers.ListField(
        child=serializers.CharField(), help_text="What both have changed and not alike: blocks by id, all else by its place in words."
    )


class PresenceRequestSerializer(serializers.Serializer[Any]):
    window = serializers.RegexField(r"^[A-Za-z0-9-]{8,64}$")
    node = serializers.CharField(allow_blank=True, max_length=100, default="")
    leave = serializers.BooleanField(default=False)


class OtherSerializer(serializers.Serializer[Any]):
    window = serializers.CharField()
    name = serializers.CharField()
    mine = serializers.BooleanField()
    node = serializers.CharField(allow_blank=True)


class PresenceSerializer(serializers.Serializer[Any]):
    revision = serializers.IntegerField()
    others = OtherSerializer(many=True)
