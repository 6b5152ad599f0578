"""Routes of the billing API."""

from django.urls import URLPattern

app_name = "billing_api"
urlpatterns: list[URLPattern] = []
