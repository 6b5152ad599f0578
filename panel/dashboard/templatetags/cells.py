"""The filter by which the template of all tables gets its cells; what cells look like is the columns' affair."""

from django import template

from panel.core.tables import cells

register = template.Library()
register.filter("cells", cells)
