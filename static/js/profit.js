/* What other prices would earn: two sliders and a sentence. Amounts are whole smallest units, so that sums are exact. */
(function () {
  "use strict";

  function start(box) {
    var places = Number(box.dataset.places), scale = Math.pow(10, places);
    var fee = Math.round(Number(box.dataset.fee) * scale), currency = box.dataset.currency;
    var page = document.documentElement.lang;
    var number = new Intl.NumberFormat(page === "en" ? "en-GB" : page || undefined, { minimumFractionDigits: places, maximumFractionDigits: places });
    var price = box.querySelector("[data-price]"), customers = box.querySelector("[data-customers]");

    function money(units) {
      return (units < 0 ? "\u2212" : "") + number.format(Math.abs(units) / scale) + "\u00a0" + currency;
    }

    function show() {
      var each = Math.round(Number(price.value) * scale), count = Number(customers.value);
      var earned = each * count - fee, needed = fee <= 0 ? 0 : each > 0 ? Math.ceil(fee / each) : null;
      price.setAttribute("aria-valuetext", money(each));
      box.querySelector("[data-show-price]").textContent = money(each);
      box.querySelector("[data-show-customers]").textContent = String(count);
      box.querySelector("[data-show-earned]").textContent = money(earned);
      box.querySelector("[data-show-needed]").textContent = needed === null ? "\u2013" : String(needed);
    }

    price.addEventListener("input", show);
    customers.addEventListener("input", show);
    box.hidden = false;
    show();
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-profit]").forEach(start);
  });
})();
