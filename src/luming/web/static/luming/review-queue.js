// The queue: one box chooses all days of the page.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-choose-all]")) return;
  event.target.form.querySelectorAll("input[name=day]").forEach((box) => (box.checked = event.target.checked));
});
