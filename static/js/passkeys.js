/* Says in words that no passkey was used: the browser has none, or the person did not want to. */
(function () {
  "use strict";

  document.addEventListener("allauth.error", function (event) {
    var problem = document.getElementById("passkey-problem");
    if (!problem) { return; }
    event.preventDefault();
    problem.textContent = problem.getAttribute("data-words");
    problem.hidden = false;
  });
})();
