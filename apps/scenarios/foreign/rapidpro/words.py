"""What authors of RapidPro and Glific know the parts of a flow by: its editor never shows the names that its files use."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

WORDS: Mapping[str, Any] = {
    "send_msg": _("message"), "send_msg and wait": _("question"), "wait for a message": _("wait for an answer"), "say_msg": _("spoken message"),
    "set_run_result": _("save a result"), "set_run_local": _("set a variable"), "set_contact_field": _("update a field"),
    "set_contact_name": _("update the name"), "set_contact_language": _("update the language"), "set_contact_timezone": _("update the time zone"),
    "set_contact_channel": _("update the channel"), "set_contact_status": _("update the status"), "add_contact_urn": _("add an address"),
    "add_contact_groups": _("add to groups"), "remove_contact_groups": _("remove from groups"), "add_input_labels": _("label the message"),
    "call_webhook": _("call a webhook"), "call_resthook": _("call a Zapier hook"), "call_classifier": _("classify the message"),
    "call_llm": _("call a language model"), "open_ticket": _("open a ticket"), "wait_for_time": _("wait for a time"),
    "enter_flow": _("enter another flow"), "start_session": _("start somebody else in a flow"), "send_broadcast": _("message to others"),
    "send_email": _("e-mail"), "transfer_airtime": _("airtime"), "play_audio": _("play a recording"),
    "send_interactive_msg": _("interactive message"), "link_google_sheet": _("Google sheet"),
    "send_whatsapp_msg": _("WhatsApp message"), "send_msg_catalog": _("WhatsApp catalogue"), "call_brain": _("call an agent"),
    "call_wenigpt": _("call an agent"), "call_external_service": _("call an external service"), "run_code_action": _("run code"),
    "language": _("language"), "smart router": _("split with an AI"), "random": _("split randomly"), "router": _("split"),
    "has_any_word": _("rule: has any of the words"), "has_all_words": _("rule: has all of the words"), "has_phrase": _("rule: has the phrase"),
    "has_only_phrase": _("rule: has only the phrase"), "has_only_text": _("rule: is exactly"), "has_beginning": _("rule: starts with"),
    "has_text": _("rule: has some text"), "has_value": _("rule: has a value"), "has_pattern": _("rule: matches the pattern"),
    "has_number": _("rule: has a number"), "has_number_between": _("rule: has a number between"), "has_number_eq": _("rule: has a number equal to"),
    "has_number_lt": _("rule: has a number below"), "has_number_lte": _("rule: has a number up to"), "has_number_gt": _("rule: has a number above"),
    "has_number_gte": _("rule: has a number from"), "has_date": _("rule: has a date"), "has_date_lt": _("rule: has a date before"),
    "has_date_eq": _("rule: has the date"), "has_date_gt": _("rule: has a date after"), "has_time": _("rule: has a time"),
    "has_phone": _("rule: has a phone number"), "has_email": _("rule: has an e-mail address"), "has_group": _("rule: is in the group"),
    "has_category": _("rule: has the category"), "has_state": _("rule: has a state"), "has_district": _("rule: has a district"),
    "has_ward": _("rule: has a ward"), "has_intent": _("rule: has the intent"), "has_top_intent": _("rule: has the top intent"),
}  # fmt: skip
