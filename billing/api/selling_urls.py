"""Routes of sellers, customers, products, prices and tax rates."""

from django.urls import path

from billing.api import customers, products, sellers

urlpatterns = [
    path("seller", sellers.OwnSeller.as_view(), name="seller"),
    path("seller/bank", sellers.OwnBank.as_view(), name="seller_bank"),
    path("tax-rates", sellers.TaxRates.as_view(), name="tax_rates"),
    path("tax-rates/adopt", sellers.AdoptTaxRates.as_view(), name="tax_rates_adopt"),
    path("tax-rates/<str:pk>", sellers.OneTaxRate.as_view(), name="tax_rate"),
    path("customers", customers.Customers.as_view(), name="customers"),
    path("customers/<str:pk>", customers.OneCustomer.as_view(), name="customer"),
    path("customers/<str:pk>/terms", customers.CustomerTerms.as_view(), name="customer_terms"),
    path("customers/<str:pk>/check-vat", customers.CustomerVatCheck.as_view(), name="customer_check_vat"),
    path("billing-details", customers.OwnDetails.as_view(), name="own_details"),
    path("products", products.Products.as_view(), name="products"),
    path("products/<str:pk>", products.OneProduct.as_view(), name="product"),
    path("products/<str:pk>/prices", products.ProductPrices.as_view(), name="product_prices"),
    path("products/<str:pk>/impact", products.ProductImpact.as_view(), name="product_impact"),
    path("prices", products.Prices.as_view(), name="prices"),
    path("prices/<str:pk>/subscriptions", products.PriceSubscriptions.as_view(), name="price_subscriptions"),
    path("prices/<str:pk>/apply", products.PriceApply.as_view(), name="price_apply"),
    path("prices/<str:pk>", products.OnePrice.as_view(), name="price"),
]
