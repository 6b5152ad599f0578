"""Routes of the billing API."""

from django.urls import include, path

from billing.api import behind, feeds, meters, orders, rates, reports

app_name = "billing_api"
urlpatterns = [
    path("", include("billing.api.dunning_urls")),
    path("", include("billing.api.hook_urls")),
    path("", include("billing.api.invoice_urls")),
    path("", include("billing.api.payment_urls")),
    path("", include("billing.api.selling_urls")),
    path("", include("billing.api.subscription_urls")),
    path("meters", meters.MeterList.as_view(), name="meters"),
    path("meters/<str:pk>", meters.MeterItem.as_view(), name="meter"),
    path("meter-events", meters.MeterEventList.as_view(), name="meter_events"),
    path("price-feeds", feeds.PriceFeedList.as_view(), name="price_feeds"),
    path("price-feeds/<str:pk>/points", feeds.PriceFeedPoints.as_view(), name="price_feed_points"),
    path("rate", rates.RateView.as_view(), name="rate"),
    path("reports/profit", reports.ProfitView.as_view(), name="report_profit"),
    path("reports/profit/lines", reports.ProfitLinesView.as_view(), name="report_lines"),
    path("reports/profit/bookings", behind.BookingsView.as_view(), name="report_bookings"),
    path("reports/recurring/subscriptions", behind.SubscriptionsView.as_view(), name="report_subscriptions"),
    path("reports/owed/invoices", behind.OwedInvoicesView.as_view(), name="report_receivables"),
    path("reports/taxes/documents", behind.TaxedView.as_view(), name="report_taxed"),
    path("reports/recurring", reports.RecurringView.as_view(), name="report_recurring"),
    path("reports/owed", reports.OwedView.as_view(), name="report_owed"),
    path("reports/taxes", reports.TaxesView.as_view(), name="report_taxes"),
    path("orders", orders.OrderList.as_view(), name="orders"),
    path("orders/<str:pk>", orders.OrderItem.as_view(), name="order"),
    path("orders/<str:pk>/approve", orders.OrderApprove.as_view(), name="order_approve"),
    path("orders/<str:pk>/refuse", orders.OrderRefuse.as_view(), name="order_refuse"),
    path("orders/<str:pk>/retry", orders.OrderRetry.as_view(), name="order_retry"),
]
