"""Routes of the dashboard."""

from django.urls import path

from panel.dashboard import web

app_name = "dashboard"
urlpatterns = [
    path("", web.HomePage.as_view(), name="home"),
    path("search/", web.SearchPage.as_view(), name="search"),
    path("activity/", web.ActivityPage.as_view(), name="activity"),
    path("switch/", web.SwitchPage.as_view(), name="switch"),
    path("brand.css", web.brand_css, name="brand_css"),
]
