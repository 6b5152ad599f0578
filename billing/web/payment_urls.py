"""Routes of payments, saved cards, bank statements and the payment service."""

from django.urls import path

from billing.web import gateways, paying, payments, statements

urlpatterns = [
    path("billing/payments/", payments.ReceivedListPage.as_view(), name="payment_list"),
    path("billing/payments/record/", payments.RecordPage.as_view(), name="payment_record"),
    path("billing/payments/made/", payments.PaidListPage.as_view(), name="paid_list"),
    path("billing/payments/<str:pk>/", payments.PaymentPage.as_view(), name="payment"),
    path("billing/payments/<str:pk>/refund/", payments.RefundPage.as_view(), name="payment_refund"),
    path("billing/payments/<str:pk>/keep/", payments.KeepPage.as_view(), name="payment_keep"),
    path("billing/invoices/<str:pk>/pay/", paying.PayPage.as_view(), name="invoice_pay"),
    path("billing/invoices/<str:pk>/pay/credit/", paying.PayFromCreditPage.as_view(), name="invoice_pay_credit"),
    path("billing/pay/", paying.PayAllPage.as_view(), name="pay_all"),
    path("billing/cards/", paying.CardListPage.as_view(), name="cards"),
    path("billing/cards/add/", paying.CardAddPage.as_view(), name="card_add"),
    path("billing/cards/<str:pk>/default/", paying.CardDefaultPage.as_view(), name="card_default"),
    path("billing/cards/<str:pk>/remove/", paying.CardRemovePage.as_view(), name="card_remove"),
    path("billing/bank/", statements.EntryListPage.as_view(), name="bank_list"),
    path("billing/bank/import/", statements.ImportPage.as_view(), name="bank_import"),
    path("billing/bank/book/", statements.BookPage.as_view(), name="bank_book"),
    path("billing/bank/<str:pk>/", statements.EntryPage.as_view(), name="bank_entry"),
    path("billing/bank/<str:pk>/ignore/", statements.EntryIgnorePage.as_view(), name="bank_ignore"),
    path("billing/gateway/", gateways.GatewayPage.as_view(), name="gateway"),
    path("billing/gateway/test/", gateways.GatewayTestPage.as_view(), name="gateway_test"),
    path("billing/gateway/switch/", gateways.GatewaySwitchPage.as_view(), name="gateway_switch"),
]
