"""Mails that tell people what happened to their own sign-in, so that they notice what they did not do themselves."""

from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.selectors import brands
from accounts.services import outgoing_mails


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


def send(
    *, user: User, kind: str, thing: str = "", address: str | None = None, agent: str = "", url: str = "", to: str = ""
) -> None:
    """Send a notice of `NOTICES` to a person, or to another address of theirs, in the name of the person's brand.

    It says when it was, from which address and with which browser. It leaves once the current transaction commits.
    """
    notice = NOTICES[kind]
    brand = brands.of_user(user)
    with translation.override(user.locale), timezone.override(user.timezone):
        when = date_format(timezone.localtime(), "DATETIME_FORMAT")
        lines = [_("Hello %(name)s,") % {"name": user.name}, "", str(notice.text).format(thing=thing)]
        lines += ["", url] if url else []
        lines += ["", _("Time: %(when)s (%(zone)s)") % {"when": when, "zone": user.timezone}]
        lines += [_("Address: %(address)s") % {"address": address}] if address else []
        lines += [_("Browser: %(agent)s") % {"agent": agent}] if agent else []
        lines += ["", _("If this was not you, change your password at once and end your other sessions:")]
        lines += [brands.base_url(brand) + reverse("accounts:sign_in")]
        subject = f"{brand.name}: {notice.subject}"
        outgoing_mails.send_text(
            brand=brand,
            to=to or user.email,
            subject=subject,
            text="\n".join(lines),
            kind=f"notice.{kind}",
            locale=user.locale,
        )
