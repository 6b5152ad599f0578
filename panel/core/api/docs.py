"""The OpenAPI document and the page that shows it, with this server's own scripts and no inline code."""

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, for anybody."""


class DocsView(SpectacularSwaggerSplitView):
    """The document as a page."""

    template_name = "core/api_docs.html"
    url_name = "api_schema"
