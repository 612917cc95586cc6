"use strict";
const $ = (id) => document.getElementById(id);
const blind = document.body.classList.contains("blind");
const output = document.querySelector("#where span").textContent;
const KEPT = `seefood answer ${output}`;
const AHEAD = 6, CELLS = 48, RETRY = 1000, POLL = 2000;

let view = new URLSearchParams(location.hash.slice(1));
let position = 0;            // of the picture that is shown, or of the first one of the grid
let cards = new Map();       // by position
let labels = [];
let state = { length: 0, answered: 0, loading: true };
let isGrid = false;
let selected = new Set();    // positions
let anchor = null;
let isSending = false;
let chosen = null;           // where pictures may have several labels: those of the picture shown
let chosenFor;               // its number
let undone = [];             // what to send to take the latest answers back, the latest last
let heatOn = false;
let nearOn = false;
let generation = 0;          // grows with each new view: late responses of older ones are dropped

// ---- Requests ----------------------------------------------------------------------------------

class Refused extends Error {}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  const document_ = await response.json();
  if (response.ok) { return document_; }
  // What the server cannot do now is tried again; what it will never do is not. After a restart the
  // page has another address (403): the answer is kept for the page that is opened there.
  const again = response.status >= 500 || [403, 409].includes(response.status);
  throw again ? new Error(document_.detail) : new Refused(document_.detail);
}

function where(more) {
  const query = new URLSearchParams(view);
  for (const [name, value] of Object.entries(more || {})) { query.set(name, value); }
  return query.toString();
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function trouble(text) {
  $("trouble").textContent = text || "";
  $("trouble").hidden = !text;
}

// ---- Answers -----------------------------------------------------------------------------------

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(12)),
  (byte) => byte.toString(16).padStart(2, "0")).join("");

// Sends answers until the server has written them. The next picture waits for that.
async function send(answers, more) {
  const letter = { id: newId(), answers };
  keep(letter);
  const reply = await untilSaved(`answers?${where(more)}`, letter);
  return reply instanceof Refused ? null : reply;
}

async function untilSaved(path, letter) {
  for (;;) {
    try {
      const reply = await ask(path, letter);
      keep(null);
      trouble("");
      return reply;
    } catch (error) {
      if (error instanceof Refused) { keep(null); trouble(`Not saved: ${error.message}`); return error; }
      const cause = error instanceof TypeError ? "the server does not answer" : error.message;
      trouble(`Not saved yet: ${cause}. Trying again …`);
      await pause(RETRY);
    }
  }
}

// An answer that was not confirmed outlives this page: the next one on this port sends it again.
function keep(letter) {
  try {
    if (letter) { localStorage.setItem(KEPT, JSON.stringify(letter)); } else { localStorage.removeItem(KEPT); }
  } catch { /* no storage in a private window */ }
}

// Returns why the answer of an earlier page will never be saved; null if it is, or if there is none.
async function sendKept() {
  let letter = null;
  try { letter = JSON.parse(localStorage.getItem(KEPT)); } catch { /* see above */ }
  if (!letter) { return null; }
  letter.answers = letter.answers.map(({ uri, etag, label, labels }) => ({ uri, etag, label, labels }));
  return await untilSaved("answers", letter) instanceof Refused ? $("trouble").textContent : null;
}

// What is said about a picture: a label, a list of labels where it may have several, or null.
const sayOf = (card, said) => ({ number: card.number, uri: card.uri, etag: card.etag,
  ...(Array.isArray(said) ? { label: null, labels: said } : { label: said }) });
const saidOf = (card) => !card.said ? null : state.several ? card.said.labels : card.said.label;
const namesOf = (card) => card.said ? card.said.labels : card.labels || (card.label ? [card.label] : []);

// What an answer about a picture counts for: in the order of copies, the whole group.
const settled = (card) => [card, ...card.copies || []];

async function answer(label) {
  const chosen = isGrid ? [...selected].sort((a, b) => a - b) : [position];
  await say(chosen.map((at) => [at, typeof label === "function" ? label(cards.get(at)) : label]));
}

// A label is an answer, or, where pictures may have several, it is put to the chosen ones or taken
// away: of one picture until Enter, of those that are selected in the grid at once.
async function choose(label) {
  if (!state.several) { await answer(label); return; }
  if (!isGrid) {
    if (!cards.has(position)) { return; }
    chosen = toggled(chosen || [], label, !(chosen || []).includes(label));
    drawVerdict(cards.get(position));
    return;
  }
  const isOn = ![...selected].every((at) => cards.has(at) && namesOf(cards.get(at)).includes(label));
  await answer((card) => toggled(namesOf(card), label, isOn));
}

// What is chosen at first is what was said. It stays while the same picture is drawn again.
function startChoice(card) {
  if (chosenFor === card?.number) { return; }
  chosenFor = card?.number;
  const isKnown = card && (blind || card.said || card.labels || card.label);
  chosen = state.several && isKnown ? namesOf(card) : null;
}

const toggled = (names, label, isOn) => isOn ? [...new Set([...names, label])] : names.filter((one) => one !== label);

function agree() {
  const own = (card) => state.several ? card.labels || (card.label ? [card.label] : null) : card.label;
  answer(state.several && !isGrid ? () => chosen : own);
}

async function say(pairs) {
  const known = pairs.filter(([at, label]) => cards.has(at) && label !== null && label !== undefined);
  if (isSending || !known.length) { return; }
  isSending = true;
  document.body.setAttribute("aria-busy", "true");
  const back = known.flatMap(([at]) => settled(cards.get(at)).map(
    (card) => ({ ...sayOf(card, saidOf(card)), at })));
  const more = isGrid ? {} : { start: position + 1, count: AHEAD };
  const born = generation;
  const answers = known.flatMap(([at, label]) => settled(cards.get(at)).map((card) => sayOf(card, label)));
  const reply = await send(answers, more);
  isSending = false;
  document.body.removeAttribute("aria-busy");
  if (!reply || born !== generation) { return; }
  undone.push(back);
  chosenFor = undefined;
  for (const [at, label] of known) {
    const names = [label].flat();
    const said = { label: names[0] ?? null, labels: names, by: "you", at: "" };
    const card = cards.get(at);
    if (!card.said) { state.answered += 1; }
    cards.set(at, { ...card, said, copies: (card.copies || []).map((copy) => ({ ...copy, said })) });
  }
  if (isGrid) { selected.clear(); anchor = null; draw(); return; }
  take(reply.cards);
  if (reply.position === null) { await moveTo(await firstOpen()); } else { position = reply.position; draw(); }
}

// Behind the end if all have an answer, or if the server does not say.
async function firstOpen() {
  try { return (await ask(`next?${where({ start: 0 })}`)).position ?? state.length; } catch (error) {
    trouble(error.message);
    return state.length;
  }
}

async function undo() {
  const back = undone[undone.length - 1];
  if (!back || isSending) { return; }
  isSending = true;
  const reply = await send(back, {});
  isSending = false;
  if (!reply) { return; }
  undone.pop();
  chosenFor = undefined;
  const at = back[0].at;
  cards.clear();
  if (!isGrid && at !== undefined) { await moveTo(at); } else { await moveTo(position); }
  poll();
}

async function another(text) {
  const label = text.trim();
  if (!label) { return; }
  if (!labels.includes(label)) {
    try { setLabels((await ask("labels", { label })).labels); } catch (error) { trouble(error.message); return; }
  }
  $("other").value = "";
  $("other").blur();
  await choose(label);
}

// ---- Moving ------------------------------------------------------------------------------------

function take(list) {
  for (const card of list) { cards.set(card.position, card); }
}

async function fetchFrom(start, count) {
  const born = generation;
  const reply = await ask(`cards?${where({ start, count })}`);
  if (born === generation) { take(reply.cards); }
}

async function moveTo(at) {
  position = Math.max(0, at);
  const wanted = isGrid ? CELLS : AHEAD;
  const has = (one) => cards.has(one) || one >= state.length && !state.loading;
  const window_ = Array.from({ length: isGrid ? CELLS : 1 }, (_, one) => position + one);
  try {
    if (!window_.every(has)) { await fetchFrom(position, wanted); }
    trouble("");
  } catch (error) {
    trouble(error instanceof TypeError ? "The server does not answer." : error.message);
  }
  draw();
  if (!isGrid && !cards.has(position + AHEAD - 1)) { fetchFrom(position, AHEAD).then(preload, () => {}); }
}

function step(by) {
  const far = isGrid ? CELLS * by : by;
  const last = Math.max(0, state.length - 1);
  moveTo(Math.min(Math.max(0, position + far), isGrid ? Math.floor(last / CELLS) * CELLS : last));
}

function preload() {
  for (let at = position + 1; at < position + 4; at += 1) {
    if (cards.has(at)) { new Image().src = picture(cards.get(at), 1600); }
  }
}

const picture = (card, side) => `picture/${card.number}/${side}`;

async function setView(query) {
  view = query;
  generation += 1;
  cards.clear();
  selected.clear();
  position = 0;
  history.replaceState(null, "", `#${view}`);
  $("to-filter")?.setAttribute("aria-label", view.toString() ? "Filter (in use)" : "Filter");
  await poll(false);
  await moveTo(isGrid || view.get("said") ? 0 : await firstOpen());
}

// ---- Drawing -----------------------------------------------------------------------------------

const percent = (score) => score === null || score === undefined ? "" : `${(100 * score).toFixed(1)}%`;

function tone(label) {
  if (label === "hotdog") { return "hotdog"; }
  if (label === "not_hotdog") { return "not-hotdog"; }
  const at = labels.indexOf(label);
  return at < 0 ? "other" : `tone-${at % 6}`;
}

function element(kind, className, text) {
  const made = document.createElement(kind);
  if (className) { made.className = className; }
  if (text !== undefined) { made.textContent = text; }
  return made;
}

function setLabels(names) {
  if (names.join("\n") === labels.join("\n") && $("choices").childElementCount) { return; }
  labels = names;
  $("choices").replaceChildren(...labels.slice(0, 10).map((label, at) => {
    const button = element("button", tone(label), label);
    button.type = "button";
    button.append(element("kbd", "", String((at + 1) % 10)));
    button.addEventListener("click", (event) => {
      if (state.several && event.detail) { button.blur(); }  // after a click, Enter saves
      choose(label);
    });
    return button;
  }));
  $("known").replaceChildren(...labels.map((label) => new Option(label, label)));
  const choice = document.querySelector("#filter [name=label]");
  if (choice) {
    const now = choice.value || view.get("label") || "";
    choice.replaceChildren(new Option("all", ""), ...labels.map((label) => new Option(label, label)));
    choice.value = now;
  }
}

function draw() {
  const shown = cards.get(position);
  $("one").hidden = isGrid;
  $("grid").hidden = !isGrid;
  for (const id of ["all", "flip"]) { if ($(id)) { $(id).hidden = !isGrid || (id === "flip" && (labels.length !== 2 || state.several)); } }
  for (const id of ["to-heat", "to-near"]) { if ($(id)) { $(id).hidden = isGrid; } }
  $("agree").hidden = blind && !state.several;
  $("agree").firstChild.textContent = state.several && !isGrid ? "Save " : "Agree ";
  startChoice(shown);
  $("undo").disabled = !undone.length;
  drawCount();
  const isEmpty = !shown;
  $("empty").hidden = !isEmpty;
  if (isEmpty) { $("empty").textContent = emptyText(); }
  $("near").hidden = true;
  if (isGrid) { drawGrid(); } else { drawOne(shown); }
}

function emptyText() {
  if (state.problem) { return `The rows cannot be read:\n${state.problem}`; }
  if (state.loading) { return `${state.text || "Reading the rows"} …`; }
  if (state.done) { return `Done: ${state.text}.`; }
  if (state.length && state.answered >= state.length) {
    return `All of these pictures have an answer.\n← goes back${blind ? "" : ", / filters"}.`;
  }
  if (state.length) { return ""; }
  if (view.get("order") === "copies") { return "None of these pictures has a copy.\nD goes back, / filters."; }
  return "No picture is left by these filters.\n/ changes them.";
}

function drawCount() {
  const rows = state.loading ? `${state.length.toLocaleString("en")}+` : state.length.toLocaleString("en");
  const place = state.length ? `${Math.min(position + 1, state.length).toLocaleString("en")} of ${rows} · ` : "";
  const answered = state.answered.toLocaleString("en");
  const audit = state.done ? `Done: ${state.text}` : `${answered} of ${rows} answers; ${state.text}`;
  $("count").textContent = state.text && blind ? audit : `${place}${answered} answered`;
  const share = state.length ? 100 * state.answered / state.length : 0;
  $("bar").firstElementChild.style.width = `${share}%`;
  $("bar").setAttribute("aria-valuenow", share.toFixed(0));
}

function drawOne(card) {
  $("photo").hidden = !card;
  $("absent").hidden = true;
  $("heat").hidden = true;
  $("name").textContent = card ? card.shown_uri : "";
  drawVerdict(card);
  drawNear(card);
  if (!card) { $("photo").removeAttribute("src"); return; }
  const source = picture(card, 1600);
  if ($("photo").getAttribute("src") !== source) {
    $("photo").alt = card.name;
    $("photo").setAttribute("src", source);
  } else if (heatOn) { drawHeat(card); }
  if (card.status === "failed") { absent(card.meaning, card.reason); }
  preload();
}

function drawVerdict(card) {
  const line = $("verdict");
  line.replaceChildren();
  line.className = "";
  for (const button of $("choices").children) {
    const label = button.firstChild.textContent;
    const isNow = Boolean(card && (chosen ? chosen.includes(label) : card.said && card.said.label === label));
    button.classList.toggle("now", isNow);
    if (state.several) { button.setAttribute("aria-pressed", String(isNow)); }
  }
  if (isGrid) {
    line.append(selected.size ? `${selected.size} selected` : "Click, or Shift+click, to select");
    return;
  }
  if (!card) { return; }
  if (!blind) {
    line.classList.add(tone(card.label));
    if (card.status === "failed") { line.append(`failed: ${card.error || ""}`); }
    else {
      if (card.labels && !card.labels.length) { line.append(element("b", "", "no label"), " · perhaps "); }
      line.append(element("b", "", shownNames(card.labels, card.label)), ` ${percent(card.score)}`);
      if (card.status === "unsure") { line.append(element("small", "", " · unsure")); }
    }
    for (const other of card.others) {
      line.append(element("small", "", ` · ${other.model}: ${shownNames(other.labels, other.label) || other.error} ${percent(other.score)}`));
    }
  }
  if (card.copies && card.copies.length) {
    line.append(element("small", "", ` · this answer counts for ${card.copies.length + 1} copies`));
  }
  if (card.said) { line.append(element("small", "", `${blind ? "" : " · "}${card.said.by} said ${shownNames(card.said.labels, "no label")}`)); }
}

function absent(title, text) {
  $("absent").hidden = false;
  $("absent").children[0].textContent = title || "This picture cannot be shown";
  $("absent").children[1].textContent = text || "";
}

function drawGrid() {
  $("name").textContent = "";
  drawVerdict(null);
  const cells = [];
  for (let at = position; at < position + CELLS; at += 1) {
    const card = cards.get(at);
    if (card) { cells.push(cell(at, card)); }
  }
  $("grid").replaceChildren(...cells);
}

/* Shows a card in `made`: its picture, and in `line` its label and a note. */
function fillCell(made, card, line, note) {
  const image = element("img");
  image.alt = card.name;
  image.loading = "lazy";
  image.addEventListener("error", () => image.classList.add("gone"));
  image.src = picture(card, 320);
  const name = card.said || card.labels ? shownNames(namesOf(card), "no label") : card.label;
  line.append(element("b", "", name || card.error || "?"), element("i", "", note));
  made.title = card.shown_uri;
  made.append(image, line);
  return made;
}

const shownNames = (names, otherwise) => (names && names.length ? names.join(" + ") : otherwise);

function labelOf(card) {
  return card.said ? card.said.label : card.label;
}

function cell(at, card) {
  const made = element("button", `cell ${tone(labelOf(card))}${card.said ? " said" : ""}`);
  made.type = "button";
  made.dataset.at = at;
  made.setAttribute("aria-pressed", String(selected.has(at)));
  return fillCell(made, card, element("span"), card.said ? card.said.by : percent(card.score));
}

function select(at, isRange) {
  if (isRange && anchor !== null) {
    for (let one = Math.min(at, anchor); one <= Math.max(at, anchor); one += 1) { if (cards.has(one)) { selected.add(one); } }
  } else if (selected.has(at)) { selected.delete(at); } else { selected.add(at); }
  anchor = at;
  for (const one of $("grid").children) { one.setAttribute("aria-pressed", String(selected.has(Number(one.dataset.at)))); }
  drawVerdict(null);
}

function selectAll() {
  for (const one of $("grid").children) { selected.add(Number(one.dataset.at)); }
  drawGrid();
}

function flipped(card) {
  const now = labelOf(card);
  return labels.length === 2 ? labels[now === labels[0] ? 1 : 0] : null;
}

// Copies of the picture, which its answer settles as well, or the most similar pictures.
async function drawNear(card) {
  if (!card || blind || !(nearOn || (card.copies || []).length)) { return; }
  if (!nearOn) { fillNear(card.copies, (copy) => copy.said ? copy.said.by : percent(copy.score)); return; }
  let found;
  try { found = (await ask(`near/${card.number}`)).cards; } catch (error) { trouble(error.message); setNear(false); return; }
  if (cards.get(position) !== card || !nearOn || isGrid) { return; }
  if (found) { fillNear(found, (one) => `${percent(one.score)} · alike ${one.similarity.toFixed(2)}`); return; }
  $("near").replaceChildren(element("p", "", "Reading the features …"));
  $("near").hidden = false;
  await pause(RETRY);
  if (cards.get(position) === card) { drawNear(card); }
}

function fillNear(list, note) {
  $("near").replaceChildren(...list.map((card) => fillCell(
    element("figure", `cell ${tone(labelOf(card))}`), card, element("figcaption"), note(card),
  )));
  $("near").hidden = !list.length;
}

function setNear(on) {
  nearOn = on;
  $("to-near").setAttribute("aria-pressed", String(on));
  draw();
}

async function drawHeat(card) {
  let found;
  try { found = await ask(`heat/${card.number}`); } catch (error) { trouble(error.message); setHeat(false); return; }
  if (cards.get(position) !== card || !heatOn) { return; }
  const rows = found.grid.length, columns = found.grid[0].length;
  const small = new OffscreenCanvas(columns, rows), dots = new ImageData(columns, rows);
  const highest = Math.max(...found.grid.flat()) || 1;
  found.grid.flat().forEach((value, at) => {
    const heat = Math.max(0, value) / highest;
    dots.data.set([255, 60 + 170 * heat, 0, 215 * heat], 4 * at);
  });
  small.getContext("2d").putImageData(dots, 0, 0);
  const photo = $("photo"), canvas = $("heat"), [left, top, width, height] = found.box;
  const scale = Math.min(photo.clientWidth / photo.naturalWidth, photo.clientHeight / photo.naturalHeight);
  canvas.width = photo.naturalWidth * scale;
  canvas.height = photo.naturalHeight * scale;
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, left * canvas.width, top * canvas.height, width * canvas.width, height * canvas.height);
  canvas.hidden = false;
}

function setHeat(on) {
  heatOn = on;
  $("to-heat").setAttribute("aria-pressed", String(on));
  $("heat").hidden = true;
  if (on && cards.has(position)) { drawHeat(cards.get(position)); }
}

function setGrid(on) {
  isGrid = on;
  selected.clear();
  anchor = null;
  $("to-grid").setAttribute("aria-pressed", String(on));
  moveTo(on ? Math.floor(position / CELLS) * CELLS : position);
}

function openPanel(id, on) {
  for (const [panel, button] of [["filter", "to-filter"], ["help", "to-help"]]) {
    if (!$(button)) { continue; }
    const shown = panel === id && on;
    $(panel).hidden = !shown;
    $(button).setAttribute("aria-expanded", String(shown));
  }
  if (on && id === "filter") { $("filter").elements.order.focus(); }
}

// ---- What others do ----------------------------------------------------------------------------

async function poll(drawsCards = true) {
  const born = generation;
  try {
    const news = await ask(`state?${where()}`);
    if (born !== generation) { return; }
    const changed = news.revision !== state.revision;
    const grew = news.length !== state.length;
    state = { ...news, answered: isSending ? state.answered : news.answered };
    setLabels(news.labels);
    if (state.problem && !isSending) { trouble(`Some rows cannot be read: ${state.problem}`); }
    const isMissing = position < news.length && !cards.has(position);
    if ((changed || grew || isMissing) && !isSending && drawsCards) {
      await fetchFrom(position, isGrid ? CELLS : AHEAD);
      if (born === generation && !isSending) { draw(); }
    } else { drawCount(); }
  } catch (error) {
    if (!isSending) {
      trouble(error instanceof TypeError ? "The server does not answer; what is answered is saved." : error.message);
    }
  }
}

async function keepPolling() {
  for (;;) {
    await pause(state.loading ? POLL / 4 : POLL);
    if (!document.hidden) { await poll(); }
  }
}

// ---- Keys, clicks, touches -----------------------------------------------------------------------

const keys = {
  Enter: () => { if (!blind || state.several) { agree(); } },
  ArrowLeft: () => step(-1), ArrowRight: () => step(1), ArrowUp: () => step(-1), ArrowDown: () => step(1),
  u: undo, l: () => $("other").focus(), "?": () => openPanel("help", $("help").hidden),
  Escape: () => { openPanel("", false); if (isGrid && selected.size) { selected.clear(); drawGrid(); } else if (isGrid) { setGrid(false); } },
  ...(blind ? {} : {
    n: () => { if (!isGrid) { setNear(!nearOn); } },
    d: () => setView(new URLSearchParams(view.get("order") === "copies" ? "" : "order=copies")),
    g: () => setGrid(!isGrid), h: () => { if (!isGrid) { setHeat(!heatOn); } },
    "/": () => openPanel("filter", $("filter").hidden),
    a: () => { if (isGrid) { selectAll(); } }, f: () => { if (isGrid && labels.length === 2 && !state.several) { answer(flipped); } },
  }),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) { return; }
  const isField = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (isField) {
    if (event.key === "Escape") { event.target.blur(); openPanel("", false); }
    return;
  }
  if (event.key === "Enter" && event.target.tagName === "BUTTON" && !event.target.classList.contains("cell")) { return; }
  const digit = /^[0-9]$/.test(event.key) ? (Number(event.key) + 9) % 10 : -1;
  const act = digit >= 0 ? () => { if (labels[digit]) { choose(labels[digit]); } } : keys[event.key] || keys[event.key.toLowerCase()];
  if (act && !(event.repeat && !event.key.startsWith("Arrow"))) { event.preventDefault(); act(); }
});

const on = (id, kind, act) => $(id)?.addEventListener(kind, act);
on("agree", "click", () => keys.Enter());
on("undo", "click", undo);
on("back", "click", () => step(-1));
on("on", "click", () => step(1));
on("all", "click", selectAll);
on("flip", "click", () => answer(flipped));
on("to-grid", "click", () => setGrid(!isGrid));
on("to-near", "click", () => setNear(!nearOn));
on("to-heat", "click", () => setHeat(!heatOn));
on("to-filter", "click", () => openPanel("filter", $("filter").hidden));
on("to-help", "click", () => openPanel("help", $("help").hidden));
for (const button of document.querySelectorAll(".close")) { button.addEventListener("click", () => openPanel("", false)); }
on("grid", "click", (event) => {
  const found = event.target.closest(".cell");
  if (found) { select(Number(found.dataset.at), event.shiftKey); }
});
on("grid", "dblclick", (event) => {
  const found = event.target.closest(".cell");
  if (found) { isGrid = false; $("to-grid").setAttribute("aria-pressed", "false"); moveTo(Number(found.dataset.at)); }
});
on("other-form", "submit", (event) => { event.preventDefault(); another($("other").value); });
on("filter", "submit", (event) => {
  event.preventDefault();
  const query = new URLSearchParams();
  for (const [name, value] of new FormData($("filter"))) { if (value && !(name === "order" && value === "sure")) { query.set(name, value); } }
  if (query.get("order") === "random") { query.set("seed", String(crypto.getRandomValues(new Uint32Array(1))[0])); }
  openPanel("", false);
  document.activeElement?.blur();
  setView(query);
});
on("photo", "load", () => { if (heatOn && cards.has(position)) { drawHeat(cards.get(position)); } });
on("photo", "error", async () => {
  const card = cards.get(position);
  if (!card) { return; }
  $("photo").hidden = true;
  if (card.status === "failed") { return; }
  try { await ask(picture(card, 1600)); } catch (error) { if (cards.get(position) === card) { absent("", error.message); } }
});
let touch = null;
on("stage", "touchstart", (event) => { touch = event.touches[0].clientX; });
on("stage", "touchend", (event) => {
  const far = event.changedTouches[0].clientX - touch;
  if (Math.abs(far) > 60) { step(far < 0 ? 1 : -1); }
});

(async () => {
  for (const [name, value] of view) { const field = document.querySelector(`#filter [name="${CSS.escape(name)}"]`); if (field) { field.value = value; } }
  const refusal = await sendKept();
  await setView(view);
  if (refusal) { trouble(refusal); }
  keepPolling();
})();
