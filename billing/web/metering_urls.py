"""Routes of meters, reported use, price feeds and the calculator."""

from django.urls import path

from billing.web import calculator, feeds, metering

urlpatterns = [
    path("calculator/", calculator.CalculatorPage.as_view(), name="calculator"),
    path("meters/", metering.MeterListPage.as_view(), name="meter_list"),
    path("meters/new/", metering.MeterCreatePage.as_view(), name="meter_create"),
    path("meters/<str:pk>/change/", metering.MeterChangePage.as_view(), name="meter_change"),
    path("use/", metering.UseListPage.as_view(), name="use_list"),
    path("price-feeds/", feeds.FeedListPage.as_view(), name="feed_list"),
    path("price-feeds/new/", feeds.FeedCreatePage.as_view(), name="feed_create"),
    path("price-feeds/<str:pk>/", feeds.FeedPage.as_view(), name="feed"),
    path("price-feeds/<str:pk>/add/", feeds.FeedAddPage.as_view(), name="feed_add"),
]
