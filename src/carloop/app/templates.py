"""Messages written for one person: the text, the link to leave, the variables."""

from __future__ import annotations

from collections.abc import Mapping

from carloop.app.consents import Leaving, UnsubscribeLinks
from carloop.core.message import Message
from carloop.core.ports.channels import StoredChannel
from carloop.core.ports.contacts import Contact
from carloop.core.ports.sends import Send
from carloop.core.ports.vault import Cipher
from carloop.engines.journeys.templates import UNSUBSCRIBE, Template, render_for, variables

LANGUAGE = "language"


def fields_of(template: Template) -> set[str]:
    """The profile fields a template needs."""
    return variables(template) - {UNSUBSCRIBE} | {LANGUAGE}


class Writer:
    """Turns a send and its template into the message for one person."""

    def __init__(self, cipher: Cipher, links: UnsubscribeLinks, public_url: str) -> None:
        self._cipher = cipher
        self._links = links
        self._public_url = public_url.rstrip("/")

    def write(
        self, send: Send, channel: StoredChannel, template: Template, contact: Contact
    ) -> Message:
        """The message, with the person's values filled in."""
        url = self._unsubscribe_url(send, channel, contact)
        values = {**contact.values, UNSUBSCRIBE: url}
        text = render_for(template, values)
        return Message(
            key=str(send.key),
            address=contact.address.value if contact.address else "",
            person=contact.uuid,
            subject=text.subject,
            text=text.text,
            html=text.html,
            unsubscribe_url=url,
            variables=_used(template, contact.values),
        )

    def _unsubscribe_url(self, send: Send, channel: StoredChannel, contact: Contact) -> str:
        if not self._public_url or contact.address is None:
            return ""
        address = self._cipher.identifier_key(send.tenant, contact.address)
        leaving = Leaving(send.tenant, channel.id, send.purpose, address, send.key)
        return f"{self._public_url}/unsubscribe/{self._links.token(leaving)}"


def _used(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name] for name in sorted(fields_of(template)) if name in values}
