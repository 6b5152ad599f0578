"""System checks of settings that accounts stand on; `manage.py check` and every start run them."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ValidationError

from accounts.models.brands import validate_nameservers
from panel.core import names
from panel.core.names import NameInvalid


def neutral_panel_domain(**_: Any) -> list[checks.CheckMessage]:
    """Return an error when the neutral domain is no host name, or one that a panel of the provider's has."""
    domain = settings.NEUTRAL_PANEL_DOMAIN
    if not domain:
        return []
    hint = "Set HOSTWRIGHT_NEUTRAL_PANEL_DOMAIN to a domain that names nobody, such as panels.platform.example."
    try:
        normal = names.hostname(domain)
    except NameInvalid as error:
        return [
            checks.Error(f"The neutral domain {domain!r} is no host name: {error.message}", hint, id="accounts.E001")
        ]
    if normal != domain or domain in settings.PROVIDER_HOSTS:
        return [checks.Error(f"The neutral domain {domain!r} can't be used.", hint, id="accounts.E001")]
    return []


def neutral_nameservers(**_: Any) -> list[checks.CheckMessage]:
    """Return an error when the shared name servers are not two to four different host names."""
    hint = "Set HOSTWRIGHT_NEUTRAL_NAMESERVERS to two to four names, such as ns1.platform.example,ns2.platform.example."
    try:
        validate_nameservers(settings.NEUTRAL_NAMESERVERS)
    except ValidationError as error:
        return [checks.Error(f"The neutral name servers can't be used: {error.messages[0]}", hint, id="accounts.E002")]
    return []
