"""The mails about what a subscription is going to cost: the end of its trial, and a new price."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.voice.kinds import LINK, Kind, Word, kind

SUBSCRIPTION = {
    "link": LINK,
    "what": Word(_("the product, and what it is for"), "Starter, example.org"),
    "day": Word(_("the day from which it is paid"), "2026-11-22"),
    "amount": Word(_("what it costs then"), "12.00 USD"),
    "cycle": Word(_("how often it is paid"), _("Monthly")),
}

CHANGES: tuple[Kind, ...] = (
    kind(
        "trial_reminder",
        _("End of a trial"),
        _("Your trial of {{what}} ends on {{day}}"),
        _(
            "Hello {{name}},\n\nyour trial of {{what}} ends on {{day}}."
            "{{#amount}} From then on it is paid; first: {{amount}} ({{cycle}}).{{/amount}}"
            "{{^amount}} From then on you pay for what you use.{{/amount}}"
            "\n\nTo go on there is nothing to do. To cancel, follow this link before that day:\n\n{{link}}\n"
        ),
        required=("link", "day"),
        **SUBSCRIPTION,
    ),
    kind(
        "price_change",
        _("New price"),
        _("New price of {{what}} from {{day}} on"),
        _(
            "Hello {{name}},\n\nfrom {{day}} on {{what}} has a new price."
            "{{#amount}} Now: {{before}}. Then: {{amount}} ({{cycle}}).{{/amount}}"
            "\n\nTo go on there is nothing to do. To see, change or cancel it, follow this link:\n\n{{link}}\n"
        ),
        required=("link", "day"),
        before=Word(_("what it costs now"), "10.00 USD"),
        **SUBSCRIPTION,
    ),
)
