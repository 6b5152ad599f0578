"""Routes of sellers, customers, products, prices and tax rates."""

from django.urls import path

from billing.web import customers, prices, products, sellers, tax_rates

urlpatterns = [
    path("billing/settings/", sellers.SellerPage.as_view(), name="seller"),
    path("billing/settings/bank/", sellers.SellerBankPage.as_view(), name="seller_bank"),
    path("billing/details/", customers.OwnDetailsPage.as_view(), name="own_details"),
    path("billing/details/change/", customers.OwnDetailsChangePage.as_view(), name="own_details_change"),
    path("customers/", customers.CustomerListPage.as_view(), name="customer_list"),
    path("customers/take-in/", customers.CustomerTakeInPage.as_view(), name="customer_take_in"),
    path("customers/<str:pk>/", customers.CustomerPage.as_view(), name="customer"),
    path("customers/<str:pk>/change/", customers.CustomerChangePage.as_view(), name="customer_change"),
    path("customers/<str:pk>/terms/", customers.CustomerTermsPage.as_view(), name="customer_terms"),
    path("customers/<str:pk>/check-vat/", customers.CustomerCheckPage.as_view(), name="customer_check_vat"),
    path("products/", products.ProductListPage.as_view(), name="product_list"),
    path("products/new/", products.ProductKindsPage.as_view(), name="product_kinds"),
    path("products/new/<str:kind>/", products.ProductCreatePage.as_view(), name="product_create"),
    path("products/<str:pk>/", products.ProductPage.as_view(), name="product"),
    path("products/<str:pk>/change/", products.ProductChangePage.as_view(), name="product_change"),
    path("products/<str:pk>/archive/", products.ProductArchivePage.as_view(), name="product_archive"),
    path("products/<str:pk>/prices/new/", prices.PriceCreatePage.as_view(), name="price_create"),
    path("price-list/", prices.PriceListPage.as_view(), name="price_list"),
    path("prices/<str:pk>/apply/", prices.PriceApplyPage.as_view(), name="price_apply"),
    path("prices/<str:pk>/end/", prices.PriceEndPage.as_view(), name="price_end"),
    path("prices/<str:pk>/remove/", prices.PriceRemovePage.as_view(), name="price_remove"),
    path("tax-rates/", tax_rates.TaxRateListPage.as_view(), name="tax_rate_list"),
    path("tax-rates/new/", tax_rates.TaxRateCreatePage.as_view(), name="tax_rate_create"),
    path("tax-rates/adopt/", tax_rates.TaxRateAdoptPage.as_view(), name="tax_rate_adopt"),
    path("tax-rates/<str:pk>/remove/", tax_rates.TaxRateRemovePage.as_view(), name="tax_rate_remove"),
]
