"""The mails that bring papers: invoices and credit notes, each with its PDF."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.voice.kinds import LINK, Kind, Word, kind

NUMBER = Word(_("the paper's number"), "INV-2026-00012")
AMOUNT = Word(_("its total"), "12.00 USD")

PAPERS: tuple[Kind, ...] = (
    kind(
        "invoice",
        _("Invoice"),
        _("Invoice {{number}} from {{brand}}"),
        _(
            "Hello {{name}},\n\nhere is invoice {{number}} of {{amount}}.\n"
            "{{#open}}\nTo be paid by {{due}}: {{open}}\n{{/open}}"
            "{{^open}}\nIt is paid. Thank you.\n{{/open}}"
            "{{#reference}}\nGive this reference with a transfer: {{reference}}\n{{/reference}}"
            "\nSee it, and pay it, here:\n\n{{link}}\n"
        ),
        required=("link", "number"),
        link=LINK,
        number=NUMBER,
        amount=AMOUNT,
        open=Word(_("what is to be paid, if anything is"), "12.00 USD"),
        due=Word(_("the day on which it is due"), "2026-11-22"),
        reference=Word(_("the reference of a transfer"), "RF71 INV2 0260 0012"),
    ),
    kind(
        "credit_note",
        _("Credit note"),
        _("Credit note {{number}} from {{brand}}"),
        _(
            "Hello {{name}},\n\nhere is credit note {{number}} of {{amount}}"
            "{{#invoice}} to invoice {{invoice}}{{/invoice}}.\n"
            "{{#reason}}\nReason: {{reason}}\n{{/reason}}"
            "\nWhat you have paid already is kept as your credit, and pays what comes next."
            "\n\nSee it here:\n\n{{link}}\n"
        ),
        required=("link", "number"),
        link=LINK,
        number=NUMBER,
        amount=AMOUNT,
        invoice=Word(_("the number of the invoice that it corrects"), "INV-2026-00011"),
        reason=Word(_("the reason that was given"), _("Cancelled as you wished.")),
    ),
)
