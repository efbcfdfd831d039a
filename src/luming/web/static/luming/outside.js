// The public site: nothing but the choice between light and dark; it works without this file.

const button = document.querySelector("[data-site-theme]");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = document.documentElement.getAttribute("data-bs-theme") !== "dark";
    document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
    try {
      localStorage.setItem("luming-theme", dark ? "dark" : "light");
    } catch (error) {
      /* kept for this page only */
    }
  });
}

// What scrolls must be reachable by keyboard.
document.querySelectorAll(".table-responsive").forEach((box) => {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
});
// On a phone the chosen entry of the navigation is in sight.
document.querySelector(".lm-site-nav .active")?.scrollIntoView({ block: "nearest", inline: "center" });
