"""What the steps, places and findings of a scan are called, and what to do about a name found there; words only."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

STEPS: dict[str, Text] = {
    "pages": _("Panel before sign-in, API and its documents"),
    "errors": _("Refusals, and hosts that are no panel"),
    "files": _("Style sheets, scripts and pictures"),
    "faults": _("Error pages that nobody can bring about"),
    "mail": _("Mail as it arrives"),
    "dns": _("Zones and name servers"),
    "greetings": _("Greetings and certificates of servers"),
    "sites": _("Sites: default page, errors, suspended, unknown names"),
}

PLACES: dict[str, tuple[Text, Text]] = {
    "panel.page": (
        _("Page of the panel"),
        _("Look at the brand's name, texts and links: the name stands in what the brand itself shows."),
    ),
    "panel.header": (
        _("Header of the panel's answers"),
        _("Have the web server in front of the panel leave this header out, or give it a neutral value."),
    ),
    "panel.cookie": (_("Cookie of the panel"), _("Give the cookie a neutral name, and no domain, in the settings.")),
    "panel.file": (_("File that the panel serves"), _("Replace the file, or serve it under a neutral name.")),
    "panel.api": (
        _("Answer of the API before sign-in"),
        _("Change the API's title or text in the settings to one that names nobody."),
    ),
    "panel.error": (_("Error page"), _("Change the template of this error page so that it names the brand or nobody.")),
    "panel.unknown": (
        _("Page for hosts that are no panel"),
        _("Change the page for unknown hosts, or the web server's default host, so that it names nobody."),
    ),
    "panel.certificate": (
        _("Certificate of the panel"),
        _("Get the panel host a certificate of its own; one certificate for several brands shows them to each other."),
    ),
    "mail.header": (
        _("Header of a mail"),
        _("Set the brand's sender, and have the mail server that carries it introduce itself by a neutral name."),
    ),
    "mail.body": (_("Text of a mail"), _("Change the brand's mail template or signature.")),
    "mail.envelope": (
        _("Envelope of a mail"),
        _("Set the brand's sender address, and a neutral name for this machine's mail greeting."),
    ),
    "dns.record": (
        _("DNS record"),
        _("Set the brand's own name servers, mail host and hostmaster; records made from them follow by themselves."),
    ),
    "dns.identity": (
        _("What a name server says of itself"),
        _("Set version, hostname and server-id of the name server to a neutral value or none."),
    ),
    "dns.pointer": (
        _("Reverse name of an address"),
        _("Give the address the reverse name (PTR) that its page names, where the address was rented."),
    ),
    "smtp.greeting": (_("Greeting of a mail server"), _("Give the server a neutral platform name.")),
    "imap.greeting": (_("Greeting of a mailbox server"), _("Change the log-in greeting to one that names nobody.")),
    "pop.greeting": (_("Greeting of a mailbox server"), _("Change the log-in greeting to one that names nobody.")),
    "ssh.greeting": (_("Greeting of an SSH server"), _("Remove what was added to the SSH server's version line.")),
    "server.certificate": (
        _("Certificate of a server"),
        _("Compare and repair the server: it makes a certificate for its own name, or for the brand's mail host."),
    ),
    "site.page": (
        _("Page of a site"),
        _("Change the brand's default page for new accounts; a page that the client made is the client's affair."),
    ),
    "site.header": (_("Header of a site"), _("Give the server a neutral platform name and no header of its own.")),
    "site.suspended": (_("Page of a suspended site"), _("Change the brand's page for suspended accounts.")),
    "site.unknown": (
        _("Page for names that no site has"),
        _("Change the server's default page so that it names nobody: one address serves many brands."),
    ),
}


def step(name: str) -> Text:
    """Return what a step is called."""
    return STEPS.get(name, name)


def place(name: str) -> Text:
    """Return what a place is called."""
    return PLACES[name][0] if name in PLACES else name


def remedy(name: str) -> Text:
    """Return what to do about a name that was found at a place."""
    return PLACES[name][1] if name in PLACES else ""
