"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const calculate = () => {
    const [n, k, s, p] = ["n", "k", "s", "p"].map((name) => Math.max(name === "p" ? 0 : 1, Math.floor(Number($("calc-" + name).value) || 0)));
    const side = Math.floor((n + p - k) / s) + 1;
    $("calc-result").textContent = `⌊(${n} + ${p} − ${k}) / ${s}⌋ + 1 = ${k > n + p ? "0" : side}`;
  };
  for (const name of ["n", "k", "s", "p"]) $("calc-" + name).addEventListener("input", calculate);
  const data = JSON.parse($("stepper-data").textContent);
  if (!data) return;
  const fill = (table, rows, show) => {
    const body = document.createElement("tbody");
    for (const row of rows) {
      const line = document.createElement("tr");
      for (const value of row) {
        const cell = document.createElement("td");
        cell.textContent = show(value);
        line.append(cell);
      }
      body.append(line);
    }
    table.querySelector("tbody")?.remove();
    table.append(body);
    return body;
  };
  const short = (value) => (Array.isArray(value) ? value.map((v) => v.toFixed(1)).join(" ") : value.toFixed(2));
  const patch = fill($("patch"), data.patch, short);
  fill($("kernel"), data.kernel, short);
  const sums = fill($("sums"), data.sums, () => "");
  const step = () => {
    const at = Number($("step").value);
    const y = Math.floor(at / data.positions), x = at % data.positions;
    let sum = data.bias, terms = 0;
    [...patch.rows].forEach((row, i) => [...row.cells].forEach((cell, j) => {
      const inside = i >= y && i < y + data.window && j >= x && j < x + data.window;
      cell.classList.toggle("on", inside);
      if (inside) data.patch[i][j].forEach((value, c) => { sum += value * data.kernel[i - y][j - x][c]; terms += 1; });
    }));
    [...sums.rows].forEach((row, i) => [...row.cells].forEach((cell, j) => {
      const done = i * data.positions + j <= at;
      cell.textContent = done ? data.sums[i][j].toFixed(2) : "";
      cell.classList.toggle("on", i === y && j === x);
    }));
    $("step-sum").textContent = data.sentence.replace("{terms}", terms).replace("{bias}", data.bias.toFixed(3)).replace("{sum}", data.sums[y][x].toFixed(3));
  };
  $("step").addEventListener("input", step);
  step();
})();
