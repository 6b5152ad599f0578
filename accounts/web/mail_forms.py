"""Forms of a brand's mail: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import MailSender


class SenderForm(forms.Form):
    """From whom mail comes."""

    from_address = forms.CharField(
        label=_("Sender's address"),
        max_length=254,
        required=False,
        help_text=_("Empty: panel@ at the host name of the panel."),
    )
    reply_to = forms.CharField(
        label=_("Answers go to"), max_length=254, required=False, help_text=_("Empty: the support mail address.")
    )


class SmtpForm(forms.Form):
    """A mail account of the brand's own."""

    smtp_host = forms.CharField(
        label=_("Mail server"), max_length=253, required=False, help_text=_("Empty: mail leaves by our server.")
    )
    smtp_port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535, initial=587)
    smtp_security = forms.ChoiceField(label=_("Encryption"), choices=MailSender.Security.choices)
    smtp_user = forms.CharField(label=_("User name"), max_length=254, required=False)
    password = forms.CharField(
        label=_("Password"),
        max_length=256,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Empty keeps the one that is stored. It is kept encrypted and shown to nobody."),
    )


class TextForm(forms.Form):
    """The text of a kind of mail."""

    subject = forms.CharField(label=_("Subject"), max_length=200)
    text = forms.CharField(
        label=_("Text"), max_length=10_000, strip=False, widget=forms.Textarea(attrs={"rows": 14, "class": "mono"})
    )
