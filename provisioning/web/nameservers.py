"""The page of a brand's name servers: what to enter at the registrar, what the public DNS says of it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import brands, organizations
from panel.core.errors import DomainError, Forbidden, NotFound
from panel.core.lists import ListsPage
from panel.core.web import OwnOrBelow
from provisioning.selectors import brand_names, pointers
from provisioning.selectors import nameservers as selectors
from provisioning.services import nameservers as service

ADD = "add"
"""Name of the button that adds address records; the other one looks again."""


class NameServersPage(OwnOrBelow, ListsPage):
    """Name servers of one's own brand, or of a reseller's below. POST looks again, or adds records."""

    action = "brand.change"
    title = gettext_lazy("Name servers")
    template_name = "provisioning/nameservers.html"

    def rows(self) -> QuerySet[Any] | None:
        return organizations.listed()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        if self.is_own:
            return [(_("Brand"), reverse("accounts:brand"))]
        return [
            (self.object.name, reverse("accounts:reseller", args=[self.object.pk])),
            (_("Brand"), reverse("accounts:reseller_brand", args=[self.object.pk])),
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the name servers, by the domains that they stand in."""
        brand = brands.own(self.object)
        found = selectors.overview(brand) if brand else None
        servers = sorted(found.servers, key=lambda server: server.domain) if found else []
        own = [server for server in servers if not server.shared]
        records = brand_names.records(brand) if brand else []
        return super().get_context_data(
            overview=found,
            records=records,
            pointers=pointers.given_to(brand) if brand else [],
            addable=any(record.zone and not record.present for record in records),
            domains=[(domain, list(group)) for domain, group in groupby(own, key=lambda server: server.domain)],
            shared=[server for server in servers if server.shared],
            brand_url=self.breadcrumbs()[-1][1],
            servers_export=self.sheet(
                "name-servers",
                (_("Name"), _("Addresses"), _("Seen"), _("State")),
                ((row.host, row.addresses, row.seen.found if row.seen else "", row.state) for row in servers),
            ),
            records_export=self.sheet(
                "records",
                (_("Name"), _("Type"), _("Content"), _("For")),
                ((row.name, row.type, row.content, row.purpose) for row in records),
            ),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Look into the DNS now, which takes some seconds at most, or add the records that are missing here."""
        brand = brands.own(self.object)
        if brand is None:
            return HttpResponseRedirect(request.path)
        try:
            if ADD in request.POST:
                operations = service.add_records(actor=self.actor, brand=brand)
                messages.success(request, _("The records are being added."))
                return HttpResponseRedirect(reverse("provisioning:operation", args=[operations[-1].pk]))
            service.check(actor=self.actor, brand=brand)
        except (NotFound, Forbidden):
            raise
        except DomainError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(request.path)
