"""API tokens, without their texts, which nobody has."""

from django.db.models import QuerySet

from accounts.models import ApiToken
from panel.core.actors import Actor


def own(actor: Actor) -> QuerySet[ApiToken]:
    """Return the tokens of the actor's own organization."""
    return ApiToken.objects.filter(organization_id=actor.organization_id)
