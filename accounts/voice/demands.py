"""The mails about invoices that nobody has paid yet: reminders, what follows, and that it is over."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.voice.kinds import LINK, Kind, Word, kind

INVOICE = {
    "link": LINK,
    "number": Word(_("the invoice's number"), "INV-2026-0012"),
    "amount": Word(_("what is open of the invoice"), "12.00 USD"),
    "due": Word(_("the day on which it is due"), "2026-11-22"),
    "reference": Word(_("the reference of a transfer"), "RF71 INV2 0260 0012"),
}
CONSEQUENCE = Word(_("what follows without a payment, and when"), _("From 29 November on your sites do not answer."))
REQUIRED = ("link", "amount")

DEMANDS: tuple[Kind, ...] = (
    kind(
        "payment_reminder",
        _("Reminder of an invoice"),
        _("Invoice {{number}} is due on {{due}}"),
        _(
            "Hello {{name}},\n\ninvoice {{number}} is due on {{due}}. Open: {{amount}}\n"
            "{{#reference}}\nGive this reference with a transfer: {{reference}}\n{{/reference}}"
            "\nSee and pay it here:\n\n{{link}}\n\nIf you have paid meanwhile, there is nothing to do.\n"
        ),
        required=REQUIRED,
        **INVOICE,
    ),
    kind(
        "payment_overdue",
        _("Invoice overdue"),
        _("Invoice {{number}} is overdue"),
        _(
            "Hello {{name}},\n\ninvoice {{number}} was due on {{due}}. Still open: {{amount}}\n"
            "{{#consequence}}\n{{consequence}}\n{{/consequence}}"
            "{{#reference}}\nGive this reference with a transfer: {{reference}}\n{{/reference}}"
            "\nSee and pay it here:\n\n{{link}}\n\nIf you have paid meanwhile, there is nothing to do.\n"
        ),
        required=REQUIRED,
        consequence=CONSEQUENCE,
        **INVOICE,
    ),
    kind(
        "payment_warning",
        _("Last warning of an invoice"),
        _("Invoice {{number}}: last warning"),
        _(
            "Hello {{name}},\n\ninvoice {{number}} was due on {{due}}. Still open: {{amount}}\n\n{{consequence}}\n"
            "{{#reference}}\nGive this reference with a transfer: {{reference}}\n{{/reference}}"
            "\nPay it here, and all of it goes on:\n\n{{link}}\n"
        ),
        required=(*REQUIRED, "consequence"),
        consequence=CONSEQUENCE,
        **INVOICE,
    ),
    kind(
        "payment_hold",
        _("Held back for an invoice"),
        _("Invoice {{number}} is not paid: {{what}}"),
        _(
            "Hello {{name}},\n\n{{what}}, since invoice {{number}} of {{due}} is not paid. Open: {{amount}}\n\n"
            "Nothing was deleted. Pay here, and it is lifted by itself:\n\n{{link}}\n"
            "{{#reference}}\nGive this reference with a transfer: {{reference}}\n{{/reference}}"
        ),
        required=(*REQUIRED, "what"),
        what=Word(_("what is held back"), _("your access is suspended")),
        **INVOICE,
    ),
    kind(
        "payment_release",
        _("Released after a payment"),
        _("Thank you: all of it is back"),
        _("Hello {{name}},\n\nyour payment has arrived, and {{what}}.\n\n{{panel}}\n"),
        required=("what",),
        what=Word(_("what is back"), _("your sites answer again")),
    ),
)
