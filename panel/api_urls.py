"""Every endpoint of the API, app by app."""

from django.urls import include, path

from panel.core.api.docs import DocsView, SchemaView

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="api_schema"),
    path("docs/", DocsView.as_view(), name="api_docs"),
    path("v1/", include("accounts.api.urls")),
    path("v1/", include("provisioning.api.urls")),
    path("v1/", include("billing.api.urls")),
]
