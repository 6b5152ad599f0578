/* Behaviour of the panel's pages: theme switch, copy buttons, confirmation by name, toasts. No data is kept here. */
(function () {
  "use strict";

  function announce(text) {
    var region = document.getElementById("announcer");
    if (region) { region.textContent = text; }
  }

  function markTheme() {
    var choice = document.documentElement.getAttribute("data-theme-choice");
    document.querySelectorAll("[data-set-theme]").forEach(function (button) {
      var active = button.getAttribute("data-set-theme") === choice;
      button.classList.toggle("active", active);
      button.setAttribute("aria-pressed", active ? "true" : "false");
    });
  }

  function setTheme(choice) {
    try {
      if (choice === "auto") { localStorage.removeItem("theme"); } else { localStorage.setItem("theme", choice); }
    } catch (error) {
      return; /* storage is off: the system's preference stays */
    }
    document.dispatchEvent(new Event("panel:theme"));
    markTheme();
  }

  function legacyCopy(text) {
    var area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.appendChild(area);
    area.select();
    var done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("copy refused"));
  }

  function copy(button) {
    var text = button.getAttribute("data-copy");
    /* The clipboard interface exists only in a secure context; a panel on a private address may be plain HTTP. */
    var written = navigator.clipboard ? navigator.clipboard.writeText(text) : legacyCopy(text);
    written.then(function () {
      button.classList.add("copied");
      announce(button.getAttribute("data-copied"));
      setTimeout(function () { button.classList.remove("copied"); }, 1500);
    }, function () {
      announce(button.getAttribute("data-copy-failed"));
    });
  }

  /* 20 characters of 64: 120 bits, without ones that look alike or that a shell or URL reads. */
  function generate(button) {
    var field = document.getElementById(button.getAttribute("data-generate"));
    var alphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_.+=@~";
    var bytes = crypto.getRandomValues(new Uint8Array(20));
    field.value = Array.from(bytes, function (value) { return alphabet[value % 64]; }).join("");
    field.type = "text";
    field.classList.add("mono");
    field.focus();
    field.select();
    announce(button.getAttribute("data-generated-words"));
  }

  document.addEventListener("click", function (event) {
    var maker = event.target.closest("[data-generate]");
    if (maker) { generate(maker); }
    var theme = event.target.closest("[data-set-theme]");
    if (theme) { setTheme(theme.getAttribute("data-set-theme")); }
    var button = event.target.closest("[data-copy]");
    if (button) { copy(button); }
  });

  /* A list's selects filter at once; typing waits for Enter or the button. */
  document.addEventListener("change", function (event) {
    var form = event.target.closest("form[data-submit-on-change]");
    if (form && event.target.matches("select, input[type=checkbox]")) { form.requestSubmit(); }
  });

  /* Chosen rows of a list: buttons that change many at once wake when something is chosen. */
  function countChosen() {
    var matching = document.querySelector("[data-choose-matching]:checked");
    var count = matching ? +matching.getAttribute("data-choose-matching")
      : document.querySelectorAll("[data-choice]:checked").length;
    document.querySelectorAll("[data-needs-choice]").forEach(function (button) { button.disabled = !count; });
    document.querySelectorAll("[data-choice-count]").forEach(function (place) {
      place.textContent = count ? count + " " + place.getAttribute("data-words") : "";
    });
  }
  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-choose-all]")) {
      document.querySelectorAll("[data-choice]").forEach(function (box) { box.checked = event.target.checked; });
    }
    if (event.target.matches("[data-choose-matching]")) {
      document.querySelectorAll("[data-choice], [data-choose-all]").forEach(function (box) {
        box.disabled = event.target.checked;
      });
    }
    if (event.target.matches("[data-choose-all], [data-choose-matching], [data-choice]")) { countChosen(); }
  });

  /* Dangerous forms: the button wakes when the name was typed; the server checks it again. */
  document.addEventListener("input", function (event) {
    var field = event.target.closest("[data-must-equal]");
    if (!field) { return; }
    var button = field.form.querySelector("[data-needs-name]");
    if (button) { button.disabled = field.value.trim() !== field.getAttribute("data-must-equal"); }
  });

  /* Two presses are one order. */
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post" || event.defaultPrevented) { return; }
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    form.querySelectorAll("button[type=submit]").forEach(function (button) { button.setAttribute("aria-disabled", "true"); });
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      form.querySelectorAll("button[type=submit]").forEach(function (button) { button.removeAttribute("aria-disabled"); });
    });
  });

  /* Tabs that do not fit a phone: the one that is open is in sight. */
  window.addEventListener("resize", showOpenTab);
  function showOpenTab() {
    document.querySelectorAll(".nav-scroll").forEach(function (list) {
      var open = list.querySelector(".active");
      if (!open) { return; }
      var place = open.getBoundingClientRect(), frame = list.getBoundingClientRect();
      list.scrollLeft += place.left - frame.left - (frame.width - place.width) / 2;
    });
  }

  /* What people opened in a live part stays open, and their place stays, when the part is replaced. */
  document.addEventListener("htmx:beforeSwap", function (event) {
    var status = event.detail.xhr.status;
    if (status === 401 || status === 403) { event.detail.shouldSwap = false; window.location.reload(); }
  });
  function connection(lost) {
    var notice = document.getElementById("connection-lost");
    if (notice) { notice.hidden = !lost; }
  }
  document.addEventListener("htmx:sendError", function () { connection(true); });
  document.addEventListener("htmx:afterOnLoad", function () { connection(false); });

  document.addEventListener("DOMContentLoaded", function () {
    markTheme();
    document.querySelectorAll("[data-must-equal]").forEach(function (field) {
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    countChosen();
    showOpenTab();
    var wrong = document.querySelector("[aria-invalid=true]");
    if (wrong) { wrong.focus(); }
  });
})();
