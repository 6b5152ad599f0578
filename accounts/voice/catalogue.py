"""Every kind of mail that leaves: its words, what they stand for, and our own text where a brand has none."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.voice.changes import CHANGES
from accounts.voice.demands import DEMANDS
from accounts.voice.kinds import COMMON, DOMAIN, LINK, Kind, Word
from accounts.voice.kinds import kind as _kind
from accounts.voice.papers import PAPERS

__all__ = ["COMMON", "KINDS", "Kind", "Word"]

WHEN = Word(_("when it was"), "2026-11-22 09:41 UTC")
ADDRESS = Word(_("the network address that it came from"), "203.0.113.7")
DEVICE = Word(_("the browser and system"), "Firefox, Linux")
SIGN_IN = Word(_("the page of the reader's own sign-in"), "https://panel.example.org/sign-in/")
PRODUCT = Word(_("what was ordered"), "Starter")
REASON = Word(_("the reason that was given"), _("The invoice is not paid."))


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(
            "welcome",
            _("Welcome of an account"),
            _("Your hosting account {{domain}} is ready"),
            _(
                "Hello {{name}},\n\nyour hosting account for {{domain}} is ready.\n\n"
                "User name: {{username}}\n"
                "{{#nameservers}}\nName servers: {{nameservers}}\n{{/nameservers}}\n"
                "{{#mail_host}}\nServer for mail programs: {{mail_host}}\n{{/mail_host}}\n"
                "\nSee to it here:\n\n{{panel}}\n"
            ),
            domain=DOMAIN,
            username=Word(_("the account's user name"), "exampleorg"),
            nameservers=Word(_("the brand's name servers"), "ns1.example.net, ns2.example.net"),
            mail_host=Word(_("the brand's host for mail programs"), "mail.example.net"),
        ),
        _kind(
            "invitation",
            _("Invitation"),
            _("Your access to {{brand}}"),
            _(
                "Hello {{name}},\n\n{{brand}} has set up access for you. Choose your password here:\n\n{{link}}\n\n"
                "From then on sign in with {{email}}.\n"
            ),
            required=("link",),
            link=LINK,
            email=Word(_("the address to sign in with"), "anna@example.org"),
        ),
        _kind(
            "password_reset",
            _("Password reset"),
            _("Choose a new password"),
            _(
                "Hello {{name}},\n\nsomebody, we hope you, has asked for a new password at {{brand}}. Choose it here:"
                "\n\n{{link}}\n\nThe link works once. If it was not you, do nothing: your password stays as it is.\n"
            ),
            required=("link",),
            link=LINK,
        ),
        _kind(
            "password_changed",
            _("Password changed"),
            _("Your password was changed"),
            _(
                "Hello {{name}},\n\nyour password at {{brand}} was changed on {{when}}"
                "{{#address}} from {{address}}{{/address}}. Your other sessions have ended, and your API tokens are "
                "revoked.\n\nIf it was not you, choose another one at once and tell us"
                "{{#support}}: {{support}}{{/support}}.\n"
            ),
            when=WHEN,
            address=ADDRESS,
        ),
        _kind(
            "sign_in",
            _("New sign-in"),
            _("New sign-in to {{brand}}"),
            _(
                "Hello {{name}},\n\nsomebody signed in as you on {{when}} from a device that we have not seen before.\n"
                "\n{{#address}}Network address: {{address}}\n{{/address}}{{#device}}Device: {{device}}\n{{/device}}\n\n"
                "If it was you, there is nothing to do. If not, change your password and end the session here:\n\n"
                "{{sign_in}}\n"
            ),
            when=WHEN,
            address=ADDRESS,
            device=DEVICE,
            sign_in=SIGN_IN,
        ),
        _kind(
            "security",
            _("Change of one's sign-in"),
            _("{{brand}}: {{title}}"),
            _(
                "Hello {{name}},\n\n{{what}}\n{{#link}}\n\n{{link}}\n{{/link}}\n\nTime: {{when}}\n"
                "{{#address}}\nNetwork address: {{address}}\n{{/address}}\n"
                "{{#device}}\nDevice: {{device}}\n{{/device}}\n"
                "\nIf it was not you, change your password at once and end your other sessions:\n\n{{sign_in}}\n"
            ),
            required=("what", "link", "sign_in"),
            title=Word(_("what was changed, in a few words"), _("A second factor was added")),
            what=Word(_("what was changed"), _("A second factor was added to your sign-in.")),
            link=Word(_("the link by which the reader says yes, where one is asked to"), ""),
            when=WHEN,
            address=ADDRESS,
            device=DEVICE,
            sign_in=SIGN_IN,
        ),
        _kind(
            "suspension",
            _("Suspension"),
            _("{{domain}} is suspended"),
            _(
                "Hello {{name}},\n\nyour hosting account {{domain}} is suspended. Its web sites do not answer; mail is "
                "still received.\n{{#reason}}\n\nReason: {{reason}}\n{{/reason}}\n"
                "\nYour data is safe. To have it released write to us{{#support}}: {{support}}{{/support}}.\n"
            ),
            domain=DOMAIN,
            reason=REASON,
        ),
        _kind(
            "release",
            _("Release"),
            _("{{domain}} is back"),
            _("Hello {{name}},\n\nthe suspension of your hosting account {{domain}} is lifted. It answers again.\n"),
            domain=DOMAIN,
        ),
        _kind(
            "limit_warning",
            _("Limit nearly reached"),
            _("{{domain}}: {{resource}} nearly used up"),
            _(
                "Hello {{name}},\n\n{{domain}} uses {{used}} of {{limit}} {{resource}}. When the limit is reached, "
                "nothing more can be added.\n\nSee what uses it, or ask for more:\n\n{{panel}}\n"
            ),
            domain=DOMAIN,
            resource=Word(_("what is limited"), _("disk space")),
            used=Word(_("how much is used"), "9.1 GB"),
            limit=Word(_("how much is allowed"), "10 GB"),
        ),
        _kind(
            "order_received",
            _("Order received"),
            _("Your order of {{product}}"),
            _(
                "Hello {{name}},\n\nthank you for your order of {{product}}{{#domain}} for {{domain}}{{/domain}}.\n"
                "{{#amount}}\nTo pay: {{amount}}\n{{/amount}}"
                "{{#reference}}Give this reference with your transfer: {{reference}}\n{{/reference}}"
                "\nPay, and see how far it is, here:\n\n{{link}}\n"
            ),
            required=("link",),
            link=LINK,
            product=PRODUCT,
            domain=DOMAIN,
            amount=Word(_("what is to be paid"), "12.00 USD"),
            reference=Word(_("the reference of a transfer"), "RF71 INV2 0260 0012"),
        ),
        _kind(
            "order_live",
            _("Order is live"),
            _("{{product}} is ready"),
            _(
                "Hello {{name}},\n\nwhat you ordered is there: {{product}}{{#domain}} for {{domain}}{{/domain}}.\n"
                "\nSee it here:\n\n{{link}}\n\nSign in to see to it:\n\n{{panel}}\n"
            ),
            link=LINK,
            product=PRODUCT,
            domain=DOMAIN,
        ),
        _kind(
            "order_refused",
            _("Order refused"),
            _("Your order of {{product}}"),
            _(
                "Hello {{name}},\n\nwe can't carry out your order of {{product}}"
                "{{#domain}} for {{domain}}{{/domain}}.\n{{#reason}}\nReason: {{reason}}\n{{/reason}}"
                "\nYou owe nothing for it. Questions{{#support}}: {{support}}{{/support}}.\n"
            ),
            product=PRODUCT,
            domain=DOMAIN,
            reason=Word(_("the reason that was given"), _("The address could not be verified.")),
        ),
        _kind(
            "order_attention",
            _("An order needs you"),
            _("An order of {{product}} needs you"),
            _(
                "Hello {{name}},\n\nan order of {{product}}{{#domain}} for {{domain}}{{/domain}} waits for you.\n"
                "{{#reason}}\nReason: {{reason}}\n{{/reason}}\nDecide here:\n\n{{link}}\n"
            ),
            required=("link",),
            link=LINK,
            product=PRODUCT,
            domain=DOMAIN,
            reason=Word(_("why it could not be set up"), _("No server can take it now.")),
        ),
        _kind(
            "test",
            _("Test"),
            _("A test from {{brand}}"),
            _("Hello {{name}},\n\nthis is how mail from {{brand}} looks and from whom it comes.\n"),
        ),
        *PAPERS,
        *CHANGES,
        *DEMANDS,
    )
}
