"""Routes of the dashboard."""

from django.urls import path

from panel.dashboard import brand_files, web

app_name = "dashboard"
urlpatterns = [
    path("", web.HomePage.as_view(), name="home"),
    path("search/", web.SearchPage.as_view(), name="search"),
    path("activity/", web.ActivityPage.as_view(), name="activity"),
    path("switch/", web.SwitchPage.as_view(), name="switch"),
    path("brand.css", web.brand_css, name="brand_css"),
    path("brand/files/<str:name>", brand_files.brand_file, name="brand_file"),
    path("brand/icon.svg", brand_files.brand_icon, name="brand_icon"),
    path("favicon.ico", brand_files.brand_favicon, name="brand_favicon"),
    path("robots.txt", brand_files.robots, name="robots"),
]
