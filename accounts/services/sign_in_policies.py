"""Sign-in policies of organizations: what an owner demands of their own people and of everybody below."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization, SignInPolicy
from accounts.selectors import sign_in as selectors
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid, clean_or_invalid

CHANGEABLE = ("second_factor", "session_minutes", "remember_devices")


def change(*, actor: Actor, organization: Organization, **values: object) -> SignInPolicy:
    """Change an organization's policy; it binds from the next request of everybody concerned.

    What somebody above demands holds as well: of several policies the strictest counts.
    """
    policy.require(actor, "sign_in_policy.change", organization)
    for field in values:
        if field not in CHANGEABLE:
            raise Invalid("unknown", _("A sign-in policy has no such field."), field)
    with transaction.atomic():
        row = selectors.policy_of(Organization.objects.select_for_update(no_key=True).get(pk=organization.pk))
        before = {field: getattr(row, field) for field in values}
        for field, value in values.items():
            setattr(row, field, value)
        clean_or_invalid(row, exclude=["organization"])
        row.save()
        audit.record(actor, "sign_in_policy.change", row, audit.difference(before, values))
    return row
