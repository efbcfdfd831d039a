// The home page: lists that were opened or closed stay so when their content changes.

const now = document.getElementById("now");
const set = new Map(); // key of a list -> whether it is open, as the person left it

now.addEventListener(
  "click",
  (event) => {
    const list = event.target.closest("summary")?.parentElement;
    if (list) set.set(list.dataset.key, !list.open);
  },
);
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target !== now) return;
  now.querySelectorAll("details[data-key]").forEach((list) => {
    if (set.has(list.dataset.key)) list.open = set.get(list.dataset.key);
  });
});
