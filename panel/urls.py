"""Every page of the panel, app by app; the API has its own list in `panel.api_urls`."""

from django.urls import include, path

urlpatterns = [
    path("", include("accounts.web.sign_in_urls")),
    path("", include("panel.dashboard.urls")),
    path("", include("accounts.web.urls")),
    path("", include("provisioning.web.urls")),
    path("api/", include("panel.api_urls")),
]
