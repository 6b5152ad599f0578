"""Routes of papers and books."""

from django.urls import path

from billing.api import invoices

urlpatterns = [
    path("invoices", invoices.InvoiceList.as_view(), name="invoices"),
    path("invoices/<str:pk>", invoices.InvoiceItem.as_view(), name="invoice"),
    path("invoices/<str:pk>/pdf", invoices.InvoicePdf.as_view(), name="invoice_pdf"),
    path("invoices/<str:pk>/lines", invoices.InvoiceLines.as_view(), name="invoice_lines"),
    path("invoices/<str:pk>/lines/<str:line>", invoices.InvoiceLineItem.as_view(), name="invoice_line"),
    path("invoices/<str:pk>/issue", invoices.InvoiceIssue.as_view(), name="invoice_issue"),
    path("invoices/<str:pk>/credit", invoices.InvoiceCredit.as_view(), name="invoice_credit"),
    path("invoices/<str:pk>/write-off", invoices.InvoiceWriteOff.as_view(), name="invoice_write_off"),
    path("invoices/<str:pk>/send", invoices.InvoiceSend.as_view(), name="invoice_send"),
    path("customers/<str:pk>/pro-forma", invoices.ProForma.as_view(), name="customer_pro_forma"),
    path("ledger", invoices.LedgerList.as_view(), name="ledger"),
    path("ledger/balances", invoices.LedgerBalances.as_view(), name="ledger_balances"),
]
