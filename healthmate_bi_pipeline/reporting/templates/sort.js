for (const table of document.querySelectorAll("table.is-sortable")) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const key = (row) => row.cells[at].dataset.sort ?? row.cells[at].textContent;
      const isNumeric = head.classList.contains("number");
      const compare = (one, other) => {
        const [a, b] = [key(one), key(other)];
        if (a === "" || b === "") return (a === "") - (b === "");
        const order = isNumeric ? a - b : a.localeCompare(b, "en", { numeric: true });
        return down ? -order : order;
      };
      body.append(...Array.from(body.rows).sort(compare));
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
  });
}
