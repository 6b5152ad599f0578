"""Every page of the panel, app by app; the API has its own list in `panel.api_urls`."""

from django.urls import include, path

from panel.health import health

urlpatterns = [
    path("healthz", health, name="health"),
    path("", include("accounts.web.urls")),
    path("api/", include("panel.api_urls")),
]
