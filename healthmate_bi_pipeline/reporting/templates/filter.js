const box = document.getElementById("filter");
const rows = Array.from(document.querySelectorAll("#reports tbody tr"));
const count = document.getElementById("count");
box.closest("label").hidden = false;
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  count.textContent = words.length ? `${shown} of ${rows.length} reports` : `${rows.length} reports`;
});
