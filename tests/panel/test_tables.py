"""Tables of pages: pages by keys, cells by templates that are parsed once, renderers that get what they ask for."""

from __future__ import annotations

from typing import Any

import django_tables2
import pytest
from django.core.paginator import InvalidPage
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from panel.core import tables
from panel.core.scoping import everything
from panel.core.web import configured
from provisioning.models import HostingAccount
from tests.cast import Cast
from tests.provisioning import factories

LIST = reverse("provisioning:account_list")


class Things(django_tables2.Table):  # type: ignore[misc]  # it ships no types
    """Rows of dictionaries."""

    name = tables.TemplateColumn("<b>{{ value }}</b> of {{ record.kind }}", attrs={"td": {"class": "narrow"}})
    kind = django_tables2.Column(verbose_name='Kind "of" thing')
    size = django_tables2.Column()

    def render_kind(self, value: str) -> str:
        """Ask for the value alone."""
        return value.upper()

    def render_size(self, **given: Any) -> str:
        """Ask for everything."""
        return f"{given['value']} in {given['record']['name']}"


THINGS = [{"name": f"<{number}>", "kind": "hat", "size": number} for number in range(3)]


def test_cells_show_what_their_columns_say_and_escape_it():
    first = next(iter(tables.cells(Things(THINGS))))
    assert first == [
        ('data-label="Name" class="narrow"', "<b>&lt;0&gt;</b> of hat"),
        ('data-label="Kind &quot;of&quot; thing" ', "HAT"),
        ('data-label="Size" ', "0 in <0>"),
    ]


def test_the_template_of_a_column_is_parsed_once():
    code = "once: {{ value }}"
    table = type("Once", (django_tables2.Table,), {"name": tables.TemplateColumn(code)})
    before = tables._parsed.cache_info().misses
    assert [row[0][1] for row in tables.cells(table(THINGS))] == [f"once: &lt;{number}&gt;" for number in range(3)]
    assert [row[0][1] for row in tables.cells(table(THINGS[:1]))] == ["once: &lt;0&gt;"]
    assert tables._parsed.cache_info().misses == before + 1


@pytest.fixture
def accounts(cast: Cast) -> list[str]:
    """The domains of thirty accounts of reseller A's client, in their order."""
    factories.server(cast.provider.organization)
    package = factories.package(cast.reseller_a.organization)
    names = [f"site-{number:02}.example" for number in range(30)]
    for name in reversed(names):
        factories.account(cast.client_a.organization, package, name)
    return names


def test_a_page_holds_its_part_of_the_order_whatever_it_is_ordered_by(cast: Cast, accounts: list[str]):
    browser = cast.reseller_a.browser()

    def shown(query: str) -> list[str]:
        table = browser.get(f"{LIST}?{query}").context["table"]
        return [str(record.domain) for record in table.paginated_rows.data]

    assert shown("") == accounts[:25]
    assert shown("page=2") == accounts[25:]
    assert shown("page=2&sort=-domain") == accounts[4::-1]
    assert shown("page=999") == accounts[25:]


def test_each_row_is_on_one_page_though_all_are_alike(cast: Cast, accounts: list[str]):
    browser = cast.reseller_a.browser()
    pages = [browser.get(f"{LIST}?sort=organization&page={number}").context["table"] for number in (1, 2)]
    assert [str(row.record.domain) for table in pages for row in table.paginated_rows] == accounts[::-1]


def test_a_late_page_joins_only_the_rows_that_it_shows(cast: Cast, accounts: list[str]):
    browser = cast.reseller_a.browser()
    browser.get(LIST)
    with CaptureQueriesContext(connection) as taken:
        browser.get(f"{LIST}?page=2")
    reading = [query["sql"] for query in taken if "OFFSET 25" in query["sql"]]
    assert len(reading) == 1
    assert "JOIN" in reading[0].partition(" IN (SELECT")[0]
    assert "provisioning_package" not in reading[0].partition(" IN (SELECT")[2].partition("OFFSET")[0]


def test_rows_that_have_no_keys_of_their_own_are_paged_as_they_are(cast: Cast, accounts: list[str]):
    request = RequestFactory().get("/", {"page": "2"})
    assert [row.record["size"] for row in configured(request, Things(THINGS * 10), 25).paginated_rows] == [
        1,
        2,
        0,
        1,
        2,
    ]
    with everything("test"):
        distinct = HostingAccount.objects.order_by("domain").distinct()
        paginator = tables.RowPaginator(django_tables2.table_factory(HostingAccount)(distinct).rows, 25)
        assert [row.record.domain for row in paginator.page(2)] == accounts[25:]
        with pytest.raises(InvalidPage):
            paginator.page(3)
