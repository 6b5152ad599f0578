"""Routes of papers and books."""

from django.urls import path

from billing.web import invoice_drafts, invoices

urlpatterns = [
    path("invoices/", invoices.InvoiceListPage.as_view(), name="invoice_list"),
    path("invoices/new/", invoice_drafts.InvoiceCreatePage.as_view(), name="invoice_create"),
    path("invoices/received/", invoices.BillListPage.as_view(), name="bill_list"),
    path("invoices/books/", invoices.LedgerPage.as_view(), name="ledger"),
    path("invoices/<str:pk>/", invoices.InvoicePage.as_view(), name="invoice"),
    path("invoices/<str:pk>/pdf/", invoices.InvoicePdfPage.as_view(), name="invoice_pdf"),
    path("invoices/<str:pk>/send/", invoices.InvoiceSendPage.as_view(), name="invoice_send"),
    path("invoices/<str:pk>/change/", invoice_drafts.InvoiceChangePage.as_view(), name="invoice_change"),
    path("invoices/<str:pk>/lines/new/", invoice_drafts.LineAddPage.as_view(), name="invoice_line_add"),
    path(
        "invoices/<str:pk>/lines/<str:line>/remove/",
        invoice_drafts.LineRemovePage.as_view(),
        name="invoice_line_remove",
    ),
    path("invoices/<str:pk>/issue/", invoice_drafts.InvoiceIssuePage.as_view(), name="invoice_issue"),
    path("invoices/<str:pk>/discard/", invoice_drafts.InvoiceDiscardPage.as_view(), name="invoice_discard"),
    path("invoices/<str:pk>/credit/", invoice_drafts.InvoiceCreditPage.as_view(), name="invoice_credit"),
    path("invoices/<str:pk>/write-off/", invoice_drafts.InvoiceWriteOffPage.as_view(), name="invoice_write_off"),
    path("customers/<str:pk>/pro-forma/", invoice_drafts.ProFormaPage.as_view(), name="pro_forma"),
]
