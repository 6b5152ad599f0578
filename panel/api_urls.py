"""Every endpoint of the API, app by app."""

from django.urls import include, path

urlpatterns = [
    path("v1/", include("accounts.api.urls")),
]
