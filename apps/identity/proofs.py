"""What counts as proof that the person in a chat is a certain user of another system (security.md 8). Everything else is only claimed."""

from dataclasses import dataclass
from enum import StrEnum

from apps.identity import contacts
from apps.identity.models import Lead


class Way(StrEnum):
    OWN_CONTACT = "own_contact"
    CODE = "code"
    DEEP_LINK = "deep_link"
    SYSTEM_CALL = "system_call"
    TELEGRAM_LOGIN = "telegram_login"


@dataclass(frozen=True)
class Proof:
    """Holds for this chat and this user alone. Made by the functions below and by `linking.redeem`, which check before they make one."""

    way: Way
    lead_id: int
    system: str
    external_id: str

    def holds_for(self, lead: Lead, *, system: str, external_id: str) -> bool:
        return (self.lead_id, self.system, self.external_id) == (lead.pk, system, external_id)


def by_contact(lead: Lead, *, system: str, external_id: str, phone: str = "", email: str = "") -> Proof | None:
    """The person has confirmed a phone or e-mail (own contact of the messenger, or a one-time code) and it equals the system's for this user.

    `phone` and `email` must come from the system, never from what the person typed.
    """
    person = lead.person
    proven = (person.phone_verified and contacts.same_phone(person.phone, phone)) or (
        person.email_verified and contacts.same_email(person.email, email)
    )
    return Proof(Way.OWN_CONTACT, lead.pk, system, external_id) if proven else None


def by_system(lead: Lead, *, system: str, external_id: str, named: bool, confirmed: bool) -> Proof | None:
    """The system itself called us and `named` this very chat (by leadId or chatId) together with its user, and the person `confirmed` here."""
    return Proof(Way.SYSTEM_CALL, lead.pk, system, external_id) if named and confirmed else None


def by_telegram_login(lead: Lead, *, telegram_id: str, system: str, external_id: str) -> Proof | None:
    """The system's page showed a Telegram login (checked by `telegram_login.verify`) of the account that this chat is with."""
    return Proof(Way.TELEGRAM_LOGIN, lead.pk, system, external_id) if telegram_id and lead.chat_id == telegram_id else None
