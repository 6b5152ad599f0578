"""Mails that tell people what happened to their own sign-in, so that they notice what they did not do themselves."""

from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.selectors import brands
from accounts.services import outgoing_mails
from accounts.voice.catalogue import KINDS


class Notice(NamedTuple):
    """A subject, and what happened; `{thing}` is a name such as a token's."""

    subject: Promise
    text: Promise


NOTICES = {
    "new_device": Notice(
        gettext_lazy("Sign-in from a new device"), gettext_lazy("Somebody signed in as you from a new device.")
    ),
    "password_changed": Notice(
        gettext_lazy("Your password was changed"),
        gettext_lazy("Your password was changed. Your other sessions have ended and your API tokens are revoked."),
    ),
    "second_factor_added": Notice(
        gettext_lazy("A second factor was added"), gettext_lazy("A second factor was added to your sign-in: {thing}.")
    ),
    "second_factor_removed": Notice(
        gettext_lazy("A second factor was removed"),
        gettext_lazy("A second factor was removed from your sign-in: {thing}."),
    ),
    "recovery_codes_made": Notice(
        gettext_lazy("New recovery codes"), gettext_lazy("New recovery codes were made. The old ones work no more.")
    ),
    "recovery_code_used": Notice(
        gettext_lazy("A recovery code was used"),
        gettext_lazy("Somebody signed in as you with a recovery code. It works no more."),
    ),
    "token_created": Notice(
        gettext_lazy("An API token was created"), gettext_lazy("An API token was created in your name: {thing}.")
    ),
    "address_changing": Notice(
        gettext_lazy("Your mail address is to be changed"),
        gettext_lazy("Your mail address here is to become {thing}. Say yes here within a day:"),
    ),
    "address_confirm": Notice(
        gettext_lazy("Confirm your new mail address"),
        gettext_lazy("You want to sign in with this address from now on. Say yes here within a day:"),
    ),
    "address_changed": Notice(
        gettext_lazy("Your mail address was changed"), gettext_lazy("From now on you sign in with {thing}.")
    ),
}

#: Kinds that a brand may put into words of its own; all others are told as changes of one's sign-in.
TEMPLATES = {"new_device": "sign_in", "password_changed": "password_changed"}


def send(
    *, user: User, kind: str, thing: str = "", address: str | None = None, agent: str = "", url: str = "", to: str = ""
) -> None:
    """Send a notice of `NOTICES` to a person, or to another address of theirs, in the name of the person's brand.

    It says when it was, from which address and with which browser. It leaves once the current transaction commits.
    """
    notice = NOTICES[kind]
    brand = brands.of_user(user)
    with translation.override(user.locale), timezone.override(user.timezone):
        when = f"{date_format(timezone.localtime(), 'DATETIME_FORMAT')} ({user.timezone})"
        title, what = str(notice.subject), str(notice.text).format(thing=thing)
    template = TEMPLATES.get(kind, "security")
    words = {
        "name": user.name,
        "title": title,
        "what": what,
        "link": url,
        "when": when,
        "address": address or "",
        "device": agent,
        "sign_in": brands.base_url(brand) + reverse("accounts:sign_in"),
    }
    context = {word: text for word, text in words.items() if word in KINDS[template].words}
    outgoing_mails.send(
        brand=brand,
        to=to or user.email,
        template=template,
        context=context,
        locale=user.locale,
        kind=f"notice.{kind}",
    )
