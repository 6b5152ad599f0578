"""Routes of the billing API."""

from django.urls import path

from billing.api import feeds, meters, rates

app_name = "billing_api"
urlpatterns = [
    path("meters", meters.MeterList.as_view(), name="meters"),
    path("meters/<str:pk>", meters.MeterItem.as_view(), name="meter"),
    path("meter-events", meters.MeterEventList.as_view(), name="meter_events"),
    path("price-feeds", feeds.PriceFeedList.as_view(), name="price_feeds"),
    path("price-feeds/<str:pk>/points", feeds.PriceFeedPoints.as_view(), name="price_feed_points"),
    path("rate", rates.RateView.as_view(), name="rate"),
]
