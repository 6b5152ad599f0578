/* Sets light or dark before the first paint: the person's choice, else the system's. */
(function () {
  "use strict";
  var system = window.matchMedia("(prefers-color-scheme: dark)");
  function stored() {
    try { return localStorage.getItem("theme"); } catch (error) { return null; }
  }
  function apply() {
    var choice = stored();
    var dark = choice === "dark" || (choice !== "light" && system.matches);
    document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
    document.documentElement.setAttribute("data-theme-choice", choice || "auto");
  }
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("panel:theme", apply);
})();
