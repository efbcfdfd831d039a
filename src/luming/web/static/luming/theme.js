// Runs before the first paint: the chosen look, else the system's.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("luming-theme");
  } catch (error) {
    /* storage may be forbidden */
  }
  var dark = chosen ? chosen === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
})();
