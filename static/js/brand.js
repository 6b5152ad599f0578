/* The preview beside a brand's form: colours come from the server as JSON, pictures from the file that was chosen. */
(function () {
  "use strict";

  function paint(root) {
    root.querySelectorAll("[data-variables]").forEach(function (element) {
      var variables = JSON.parse(element.getAttribute("data-variables"));
      Object.keys(variables).forEach(function (name) { element.style.setProperty(name, variables[name]); });
    });
    root.querySelectorAll("[data-swatch]").forEach(function (element) {
      element.style.setProperty("background", element.getAttribute("data-swatch"));
    });
    chosen.forEach(function (address, slot) { show(slot, address); });
  }

  var chosen = new Map();

  function show(slot, address) {
    document.querySelectorAll("[data-picture=" + slot + "]").forEach(function (image) {
      image.src = address;
      image.hidden = false;
    });
    if (slot === "logo") {
      document.querySelectorAll("[data-without-logo]").forEach(function (element) { element.hidden = true; });
    }
  }

  document.addEventListener("change", function (event) {
    var field = event.target.closest("input[type=file][data-slot]");
    if (!field || !field.files.length) { return; }
    var reader = new FileReader();
    reader.addEventListener("load", function () {
      chosen.set(field.getAttribute("data-slot"), reader.result);
      show(field.getAttribute("data-slot"), reader.result);
    });
    reader.readAsDataURL(field.files[0]);
  });

  document.addEventListener("htmx:afterSwap", function (event) { paint(event.target); });
  document.addEventListener("DOMContentLoaded", function () { paint(document); });
})();
