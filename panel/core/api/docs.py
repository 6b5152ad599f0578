"""The OpenAPI document and the page that shows it, with this server's own scripts and no inline code."""

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from panel.core.api.problems import CONTENT_TYPE


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, for anybody."""

    def handle_exception(self, exc: Exception) -> Response:
        """Answer with a problem document, in JSON although the view's own document is YAML."""
        answer: Response = super().handle_exception(exc)
        self.request.accepted_renderer, self.request.accepted_media_type = JSONRenderer(), CONTENT_TYPE
        return answer


class DocsView(SpectacularSwaggerSplitView):
    """The document as a page."""

    template_name = "core/api_docs.html"
    url_name = "api_schema"
