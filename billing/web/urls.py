"""Pages of the billing app."""

from django.urls import include, path

from billing.web import behind, reports, start

app_name = "billing"
urlpatterns = [
    path("", include("billing.web.dunning_urls")),
    path("", include("billing.web.hook_urls")),
    path("", include("billing.web.invoice_urls")),
    path("", include("billing.web.metering_urls")),
    path("", include("billing.web.order_urls")),
    path("", include("billing.web.payment_urls")),
    path("", include("billing.web.selling_urls")),
    path("", include("billing.web.subscription_urls")),
    path("billing/start/", start.StartPage.as_view(), name="start"),
    path("billing/reports/", reports.ProfitPage.as_view(), name="report_profit"),
    path("billing/reports/documents/", reports.DocumentsPage.as_view(), name="report_documents"),
    path("billing/reports/bookings/", behind.BookingsPage.as_view(), name="report_bookings"),
    path("billing/reports/recurring/subscriptions/", behind.SubscriptionsPage.as_view(), name="report_subscriptions"),
    path("billing/reports/owed/invoices/", behind.ReceivablesPage.as_view(), name="report_receivables"),
    path("billing/reports/taxes/documents/", behind.TaxedPage.as_view(), name="report_taxed"),
    path("billing/reports/recurring/", reports.RecurringPage.as_view(), name="report_recurring"),
    path("billing/reports/owed/", reports.OwedPage.as_view(), name="report_owed"),
    path("billing/reports/taxes/", reports.TaxesPage.as_view(), name="report_taxes"),
]
