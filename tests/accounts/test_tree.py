"""The tenant tree: who is made where, and what the scope shows."""

import pytest
from django_scopes.exceptions import ScopeError

from accounts.models import Organization
from accounts.services import organizations
from panel.core.errors import Conflict, Forbidden, Invalid, NotFound
from panel.core.scoping import everything, tenant
from tests.cast import Cast


def test_paths_hold_the_whole_way_down(cast: Cast) -> None:
    parts = [cast.provider, cast.reseller_a, cast.sub_reseller, cast.client_sub]
    assert cast.client_sub.organization.path == "/" + "".join(f"{part.organization.id}/" for part in parts)
    assert cast.client_sub.organization.ancestors() == [part.organization for part in parts]


def test_there_is_one_provider(cast: Cast) -> None:
    with everything("test"), pytest.raises(Conflict):
        organizations.create_provider(actor=cast.provider.actor, name="Another")


def test_rows_cannot_be_read_without_a_scope(cast: Cast) -> None:
    with pytest.raises(ScopeError):
        list(Organization.objects.all())
    with pytest.raises(ScopeError):
        cast.reseller_a.organization.children.count()


def test_a_scope_shows_the_subtree_and_nothing_else(cast: Cast) -> None:
    with tenant(cast.reseller_a.actor.path):
        names = set(Organization.objects.values_list("name", flat=True))
        assert names == {"Atelier A", "Sub of A", "Client of A", "Client of Sub"}
        assert cast.provider.organization.children.count() == 1


def test_a_reseller_makes_clients_under_itself_only(cast: Cast) -> None:
    actor = cast.reseller_a.actor
    with tenant(actor.path):
        made = organizations.create_client(actor=actor, parent=cast.reseller_a.organization, name="New")
        assert made.path.startswith(actor.path)
        with pytest.raises(NotFound):
            organizations.create_client(actor=actor, parent=cast.reseller_b.organization, name="New")
        with pytest.raises(Invalid) as refused:
            organizations.create_client(actor=actor, parent=cast.client_a.organization, name="New")
    assert refused.value.field == "parent"


def test_resellers_of_resellers_need_the_provider_s_leave(cast: Cast) -> None:
    with tenant(cast.reseller_b.actor.path), pytest.raises(Forbidden) as refused:
        organizations.create_reseller(actor=cast.reseller_b.actor, parent=cast.reseller_b.organization, name="Sub")
    assert refused.value.code == "resellers_not_allowed"
    with tenant(cast.reseller_a.actor.path):
        with pytest.raises(Forbidden):
            organizations.change(
                actor=cast.reseller_a.actor, organization=cast.sub_reseller.organization, resellers_allowed=True
            )
        organizations.create_reseller(actor=cast.reseller_a.actor, parent=cast.reseller_a.organization, name="Sub 2")


def test_a_reseller_cannot_lift_the_provider_s_suspension(cast: Cast) -> None:
    with tenant(cast.provider.actor.path):
        organizations.suspend(actor=cast.provider.actor, organization=cast.client_a.organization, reason="Abuse")
    with tenant(cast.reseller_a.actor.path), pytest.raises(Forbidden) as refused:
        organizations.unsuspend(actor=cast.reseller_a.actor, organization=cast.client_a.organization)
    assert refused.value.code == "suspended_from_above"
    with tenant(cast.provider.actor.path):
        lifted = organizations.unsuspend(actor=cast.provider.actor, organization=cast.client_a.organization)
    assert lifted.status == "active"


def test_nobody_suspends_themselves(cast: Cast) -> None:
    with tenant(cast.reseller_a.actor.path), pytest.raises(Forbidden):
        organizations.suspend(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization)


def test_closing_needs_an_empty_organization(cast: Cast) -> None:
    with tenant(cast.provider.actor.path):
        with pytest.raises(Conflict) as refused:
            organizations.close(actor=cast.provider.actor, organization=cast.reseller_b.organization)
        assert refused.value.code == "not_empty"
        organizations.close(actor=cast.provider.actor, organization=cast.client_b.organization)
        closed = organizations.close(actor=cast.provider.actor, organization=cast.reseller_b.organization)
    assert closed.status == "closed"


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\u202eb", "x" * 101])
def test_hostile_names_are_refused_with_the_field(cast: Cast, name: str) -> None:
    with tenant(cast.reseller_a.actor.path), pytest.raises(Invalid) as refused:
        organizations.create_client(actor=cast.reseller_a.actor, parent=cast.reseller_a.organization, name=name)
    assert refused.value.field == "name"
