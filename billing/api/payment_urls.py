"""Routes of payments, saved cards, bank statements and the payment service."""

from django.urls import path

from billing.api import payments

urlpatterns = [
    path("payments", payments.Payments.as_view(), name="payments"),
    path("payments/<str:pk>", payments.OnePayment.as_view(), name="payment"),
    path("payments/<str:pk>/refunds", payments.Refunds.as_view(), name="payment_refunds"),
    path("payments/<str:pk>/keep", payments.Keep.as_view(), name="payment_keep"),
    path("invoices/<str:pk>/pay", payments.Pay.as_view(), name="invoice_pay"),
    path("invoices/<str:pk>/pay-from-credit", payments.PayFromCredit.as_view(), name="invoice_pay_credit"),
    path("cards", payments.Cards.as_view(), name="cards"),
    path("cards/<str:pk>", payments.OneCard.as_view(), name="card"),
    path("cards/<str:pk>/default", payments.CardDefault.as_view(), name="card_default"),
    path("bank-entries", payments.Entries.as_view(), name="bank_entries"),
    path("bank-entries/book", payments.EntriesBook.as_view(), name="bank_book"),
    path("bank-entries/<str:pk>", payments.OneEntry.as_view(), name="bank_entry"),
    path("bank-entries/<str:pk>/match", payments.EntryMatch.as_view(), name="bank_match"),
    path("bank-entries/<str:pk>/ignore", payments.EntryIgnore.as_view(), name="bank_ignore"),
    path("gateway", payments.OwnGateway.as_view(), name="gateway"),
    path("gateway/test", payments.GatewayTest.as_view(), name="gateway_test"),
]
