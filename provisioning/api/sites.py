"""Sites of an account and the host names that they answer to."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, describe, page_of, started_of
from provisioning.api.fields import Text, find
from provisioning.api.holdings import HoldingQuery, narrowed
from provisioning.models import Site as SiteRow
from provisioning.models import SiteName as SiteNameRow
from provisioning.selectors import hosting_accounts as selectors
from provisioning.selectors import php_versions
from provisioning.services import sites as service


class SiteName(Document):
    """A host name that a site answers to; only those of kind `alias` can be removed."""

    id = serializers.CharField()
    hostname = serializers.CharField(help_text="As A-labels.")
    kind = serializers.ChoiceField(choices=SiteNameRow.Kind.choices)
    created_at = serializers.DateTimeField()


class Site(Document):
    """A name-based virtual host."""

    id = serializers.CharField()
    account = serializers.CharField(source="hosting_id")
    domain = serializers.CharField(source="domain.name")
    docroot = serializers.CharField(help_text="Below the account's home.")
    php_version = serializers.CharField()
    names = SiteName(many=True)
    created_at = serializers.DateTimeField()


class PhpChoice(Document):
    """A PHP version, and why the site can't have it; empty where it can."""

    version = serializers.CharField()
    possible = serializers.BooleanField(source="is_open")
    code = serializers.CharField(help_text="As the refusal would have it: `php_not_there`, `not_included`.")
    reason = serializers.CharField()
    remedy = serializers.CharField(help_text="What would allow it.")


class SiteDetail(Site):
    """A site with the PHP versions that it could have."""

    php_choices = serializers.SerializerMethodField(help_text="Versions that the server has or the package names.")

    @extend_schema_field(PhpChoice(many=True))
    def get_php_choices(self, site: SiteRow) -> Any:
        """Return the versions."""
        return PhpChoice(php_versions.choices(site), many=True).data


class SiteChange(StrictSerializer):
    """What to change of a site."""

    php_version = Text(max_length=8, help_text="One that the server has and the package includes, such as `8.4`.")


class SiteAliasRemove(StrictSerializer):
    """The word that says you mean it."""

    confirm = Text(required=False, help_text="The name, where a zone goes with it that has records of its own.")


class SiteAliasCreate(StrictSerializer):
    """One more name."""

    hostname = Text(help_text="A name below a domain of the account, or a domain of its own.")


class AccountSites(Endpoint):
    """Sites of an account."""

    actions = {"GET": "site.view"}
    is_list = True

    @describe("accounts_sites_list", "List an account's sites", page_of(Site))
    def get(self, request: Request, pk: str) -> Response:
        """With all names that they answer to."""
        return self.page(selectors.sites(self.find(selectors.listed(), pk)), Site)


class SiteList(Endpoint):
    """Sites."""

    actions = {"GET": "site.view"}
    is_list = True

    @describe("sites_list", "List sites, newest first", page_of(Site), query=HoldingQuery)
    def get(self, request: Request) -> Response:
        """Of all accounts that you see, or of one."""
        return self.page(narrowed(selectors.sites(), self.query(HoldingQuery), "domain__name"), Site)


class SiteItem(Endpoint):
    """One site."""

    actions = {"GET": "site.view", "PATCH": "site.change"}

    @describe("sites_get", "Get a site", SiteDetail)
    def get(self, request: Request, pk: str) -> Response:
        """With all names that it answers to, and the PHP versions that it could have."""
        return Response(SiteDetail(self.find(selectors.sites(), pk)).data)

    @describe("sites_change", "Change a site's PHP version", started_of(site=Site), status=202, body=SiteChange)
    def patch(self, request: Request, pk: str) -> Response:
        """409 with rule and remedy where the server or the package has it not."""
        site = self.find(selectors.sites(), pk)
        made, operation = service.change_php(actor=self.actor, site=site, **self.read(SiteChange))
        return self.started(operation, site=Site(made))


class SiteAliases(Endpoint):
    """Names of a site."""

    actions = {"GET": "site.view", "POST": "site.change"}
    is_list = True

    @describe("sites_aliases_list", "List the names that a site answers to", page_of(SiteName))
    def get(self, request: Request, pk: str) -> Response:
        """Its own, the one with www, and aliases."""
        return self.page(selectors.site_names(self.find(selectors.sites(), pk)), SiteName)

    @describe("sites_aliases_create", "Add an alias", started_of(alias=SiteName), status=202, body=SiteAliasCreate)
    def post(self, request: Request, pk: str) -> Response:
        """A name below a domain of the account joins that zone; any other becomes a domain with a zone of its own."""
        site = self.find(selectors.sites(), pk)
        alias, operation = service.add_alias(actor=self.actor, site=site, **self.read(SiteAliasCreate))
        return self.started(operation, alias=SiteName(alias))


class SiteAlias(Endpoint):
    """One name of a site."""

    actions = {"DELETE": "site.change"}

    @describe("sites_aliases_remove", "Remove an alias", started_of(), status=202, query=SiteAliasRemove)
    def delete(self, request: Request, site: str, pk: str) -> Response:
        """A domain that was held only for it is let go with its zone."""
        names = selectors.site_names(self.find(selectors.sites(), site))
        alias = find(names, pk, self.actor, self.action)
        return self.started(service.remove_alias(actor=self.actor, alias=alias, **self.query(SiteAliasRemove)))
