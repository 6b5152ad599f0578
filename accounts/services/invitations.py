"""Invitations: a mail in the brand's name with a link by which a person sets their first password."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts.mail import sender
from accounts.models import User
from accounts.selectors import brands


def send(*, user: User) -> None:
    """Send the invitation once the current transaction commits."""
    brand = brands.of_user(user)
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    context = {"user": user, "brand": brand, "url": brands.base_url(brand) + path}
    with translation.override(user.locale):
        subject = " ".join(render_to_string("accounts/email/invitation_subject.txt", context).split())
        body = render_to_string("accounts/email/invitation_message.txt", context)
    message = EmailMessage(subject, body, sender(brand), [user.email])
    transaction.on_commit(message.send, robust=True)
