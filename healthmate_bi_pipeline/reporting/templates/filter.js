const form = document.getElementById("filters");
const rows = Array.from(document.querySelectorAll("#reports tbody tr"));
const count = document.getElementById("count");
const wanted = (name) => form.elements[name].value;
function apply() {
  const words = wanted("words").toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    const fits = ["type", "cadence", "year"].every((name) => !wanted(name) || row.dataset[name] === wanted(name));
    const isSure = !wanted("confidence") || Number(row.dataset.confidence || -1) >= Number(wanted("confidence"));
    row.hidden = !(fits && isSure && words.every((word) => text.includes(word)));
    shown += row.hidden ? 0 : 1;
  }
  count.textContent = shown < rows.length ? `${shown} of ${rows.length} reports` : `${rows.length} reports`;
}
form.hidden = false;
form.addEventListener("input", apply);
form.addEventListener("submit", (event) => event.preventDefault());
apply();
