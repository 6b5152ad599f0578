"""Every page of the panel, app by app; the API has its own list in `panel.api_urls`."""

from django.urls import include, path

urlpatterns = [
    path("", include("accounts.web.sign_in_urls")),
    path("", include("panel.dashboard.urls")),
    path("", include("accounts.web.urls")),
    path("", include("provisioning.web.urls")),
    path("", include("billing.web.urls")),
    path("api/", include("panel.api_urls")),
]

handler400 = "panel.core.error_pages.bad_request"
handler403 = "panel.core.error_pages.forbidden"
handler404 = "panel.core.error_pages.not_found"
handler429 = "panel.core.error_pages.too_many"
handler500 = "panel.core.error_pages.server_error"
