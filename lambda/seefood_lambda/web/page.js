"use strict";
(() => {
  const MAX_BYTES = 4000000;  // Lambda's 6 MB for a request, in base64
  const LONGEST_SIDE = 2048;   // in pixels, of a photo that is too large; the network uses far fewer
  const WAIT = 40000;          // in milliseconds, for a response
  const BEAT = 600;            // in milliseconds, of evaluating at least
  const TEXTS = {
    en: {
      question: "Is it a hotdog?", touch: "Touch to SEEFOOD", choose: "Choose a photo",
      drop: "or drop one anywhere on this page", dropping: "Drop it!", back: "Back",
      retry: "Try again", details: "Details", look: "Where it looked", share: "Share",
      again: "Another photo", evaluating: "Evaluating…", looking: "Looking again…",
      photo: "Your photo", chances: "Probabilities", unsure: "Not sure",
      blank: "This browser cannot show this photo, but the network can read it.",
      noCamera: "There is no camera that this page may use. Choose a photo.",
      offline: "You are offline. The photo is kept: try again when you are back.",
      unreachable: "The server cannot be reached. The photo is kept.",
      slow: "The server does not answer. The photo is kept.",
      failed: "This did not work.", key: "This page needs its key: open it with ?key=….",
      large: "This photo is larger than 4 MB and this browser cannot shrink it. Save it as JPEG.",
      score: "The brighter, the more this place contributed to the label.",
      nowhere: "No single part decided.", covered: "Covering the brightest part takes away ",
      copied: "Copied.",
      empty: "This file is empty.", not_an_image: "This is not a photo.",
      unsupported_format: "This photo format is not supported.",
      truncated: "This photo is cut off.", corrupt: "This photo is damaged.",
      too_large: "This photo is too large.", too_many_pixels: "This photo has too many pixels.",
    },
    pt: {
      question: "É um cachorro-quente?", touch: "Toque para SEEFOOD", choose: "Escolher uma foto",
      drop: "ou solte uma foto nesta página", dropping: "Solte!", back: "Voltar",
      retry: "Tentar de novo", details: "Detalhes", look: "Onde a rede olhou", share: "Compartilhar",
      again: "Outra foto", evaluating: "Avaliando…", looking: "Olhando de novo…",
      photo: "Sua foto", chances: "Probabilidades", unsure: "Sem certeza",
      blank: "Este navegador não mostra esta foto, mas a rede consegue ler.",
      noCamera: "Não há câmera que esta página possa usar. Escolha uma foto.",
      offline: "Você está sem conexão. A foto foi guardada: tente de novo depois.",
      unreachable: "O servidor não pode ser alcançado. A foto foi guardada.",
      slow: "O servidor não responde. A foto foi guardada.",
      failed: "Não funcionou.", key: "Esta página precisa da chave: abra com ?key=….",
      large: "Esta foto tem mais de 4 MB e este navegador não consegue reduzi-la. Salve como JPEG.",
      score: "Quanto mais claro, mais este lugar contribuiu para o resultado.",
      nowhere: "Nenhuma parte sozinha decidiu.", covered: "Cobrir a parte mais clara tira ",
      copied: "Copiado.",
      empty: "Este arquivo está vazio.", not_an_image: "Isto não é uma foto.",
      unsupported_format: "Este formato de foto não é suportado.",
      truncated: "Esta foto está cortada.", corrupt: "Esta foto está danificada.",
      too_large: "Esta foto é grande demais.", too_many_pixels: "Esta foto tem pixels demais.",
      hotdog: "Cachorro-quente", not_hotdog: "Não é cachorro-quente",
    },
  };
  const LANGUAGE = /^pt/i.test(navigator.language) ? "pt" : "en";
  const say = TEXTS[LANGUAGE];
  const KEY = new URLSearchParams(location.search).get("key");
  const $ = (id) => document.getElementById(id);
  const show = (id, on) => { $(id).hidden = !on; };
  let chosen = null;   // the photo as it was chosen
  let sent = null;     // the classified photo: a Blob
  let result = null;   // its result
  let turn = 0;        // counts photos, so that a late result is not shown for a newer photo
  let stream = null;   // the live camera's
  let leaving = false; // whether the page itself goes back in the history

  const percent = (share) => share >= 0.9995 && share < 1 ? "99.9 %"
    : (100 * share).toFixed(1) + " %";
  const words = (label) => {
    const text = say[label] && LANGUAGE !== "en" ? say[label] : label.replace(/_/g, " ");
    return text.charAt(0).toUpperCase() + text.slice(1);
  };
  const kind = (label) => /^not[_ ]/i.test(label) ? "no" : "yes";
  const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

  async function take(file) {
    const current = ++turn;
    chosen = file;
    sent = null;
    result = null;
    begin(file);
    try {
      const photo = await fitting(file);
      if (current !== turn) { return; }
      sent = photo;
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const [latest] = await Promise.all([post("classify", photo), pause(still ? 0 : BEAT)]);
      if (current === turn) { result = latest; verdict(latest); }
    } catch (error) {
      if (current === turn) { trouble(error); }
    }
  }

  function begin(file) {
    if ($("photo").src) { URL.revokeObjectURL($("photo").src); }
    closeCamera();
    enter();
    $("photo").src = URL.createObjectURL(file);
    show("start", false);
    show("result", true);
    for (const id of ["trouble", "heat", "blank"]) { show(id, false); }
    show("frame", true);
    show("scan", true);
    show("look", false);
    show("share", false);
    $("look").setAttribute("aria-pressed", "false");
    $("look").removeAttribute("aria-disabled");
    $("chances").replaceChildren();
    $("note").textContent = $("hint").textContent = "";
    $("details").open = false;
    show("banner", false);
    show("beat", true);
    show("details", false);
    $("spoken").textContent = say.evaluating;
    $("again").focus({ preventScroll: true });
  }

  /* Lets the browser's Back return to the start. */
  function enter() {
    if (!history.state || !history.state.photo) { history.pushState({ photo: true }, ""); }
  }

  /* Shrinks a photo that is too large for one request, to an upright JPEG. */
  async function fitting(file) {
    if (file.size <= MAX_BYTES) { return file; }
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch (error) {
      throw new Error(say.large);
    }
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.9); });
  }

  async function post(path, photo) {
    const headers = { "content-type": /^image\//.test(photo.type) ? photo.type : "image/unknown" };
    if (KEY) { headers["x-seefood-token"] = KEY; }
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), WAIT);
    let response;
    let body;
    try {
      response = await fetch(path, { method: "POST", body: photo, headers, signal: stop.signal });
      body = await response.json().catch(() => ({}));
    } catch (error) {
      const cause = stop.signal.aborted ? "slow" : navigator.onLine ? "unreachable" : "offline";
      throw Object.assign(new Error(say[cause]), { again: true });
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) {
      const text = response.status === 401 ? say.key : say[body.code] || say.failed;
      throw Object.assign(new Error(text), { detail: body.detail, again: response.status >= 500 });
    }
    return body;
  }

  function verdict(result) {
    const unsure = result.status === "unsure";
    const word = words(result.label) + (unsure ? "?" : "");
    $("banner").className = kind(result.label) + (unsure ? " unsure" : "");
    $("banner").querySelector(".word").textContent = word;
    $("banner").querySelector(".share").textContent = (unsure ? say.unsure + ": " : "")
      + percent(result.score);
    $("spoken").textContent = word + ", " + percent(result.score);
    $("chances").replaceChildren(...result.top.slice(0, 3).map((item) => chance(item, unsure)));
    $("note").textContent = result.width + " × " + result.height + " " + result.format + ", "
      + result.milliseconds.toFixed(0) + " ms, " + result.model + " "
      + result.model_digest.slice(0, 12);
    show("scan", false);
    show("beat", false);
    show("banner", true);
    show("details", true);
    show("look", $("blank").hidden);
    show("share", Boolean(navigator.share || navigator.clipboard));
  }

  function chance(item, unsure) {
    const line = document.createElement("li");
    const [name, track, fill, share] = ["span", "div", "div", "span"]
      .map((tag) => document.createElement(tag));
    name.className = "name";
    name.textContent = words(item.label);
    track.className = "track";
    track.setAttribute("aria-hidden", "true");
    fill.className = "fill " + (unsure ? "unsure" : kind(item.label));
    fill.style.width = 100 * item.score + "%";
    track.append(fill);
    share.className = "share";
    share.textContent = percent(item.score);
    line.append(name, track, share);
    return line;
  }

  function trouble(error) {
    $("trouble").querySelector(".text").textContent = error.message;
    $("reason").querySelector("p").textContent = error.detail || "";
    $("reason").open = false;
    show("reason", Boolean(error.detail));
    show("beat", false);
    $("spoken").textContent = "";
    show("frame", false);
    show("blank", false);
    show("retry", Boolean(error.again));
    show("scan", false);
    show("trouble", true);
    if (error.again) { $("retry").focus({ preventScroll: true }); }
  }

  async function look() {
    if (!result || $("look").getAttribute("aria-disabled")) { return; }
    const on = $("look").getAttribute("aria-pressed") !== "true";
    $("look").setAttribute("aria-pressed", String(on));
    if (on && !result.heatmap) {
      const current = turn;
      $("look").setAttribute("aria-disabled", "true");
      $("hint").textContent = say.looking;
      let latest = null;
      try {
        latest = await post("classify?heatmap=1", sent);
      } catch (error) {
        if (current === turn) { $("hint").textContent = error.message; }
      }
      if (current !== turn) { return; }
      $("look").removeAttribute("aria-disabled");
      if (!latest || !latest.heatmap) {
        $("look").setAttribute("aria-pressed", "false");
        return;
      }
      result = latest;
    }
    if (on) { paint(result.heatmap); }
    show("heat", on);
    $("hint").textContent = on ? hint(result) : "";
  }

  function hint(result) {
    const highest = Math.max(...result.heatmap.grid.flat());
    if (result.heatmap.kind === "score") { return say.score; }
    return highest < 0.01 ? say.nowhere : say.covered + percent(highest) + ".";
  }

  /* Draws the grid, smoothed by the browser's scaling, over the part that the network sees. */
  function paint(map) {
    const photo = $("photo");
    const rows = map.grid.length, columns = map.grid[0].length;
    const highest = Math.max(0.01, ...map.grid.flat());
    const small = document.createElement("canvas");
    small.width = columns;
    small.height = rows;
    const dots = small.getContext("2d").createImageData(columns, rows);
    map.grid.flat().forEach((drop, at) => {
      const heat = Math.max(0, drop) / highest;
      dots.data.set([255, 60 + 170 * heat, 0, 215 * heat], 4 * at);
    });
    small.getContext("2d").putImageData(dots, 0, 0);
    const canvas = $("heat");
    const scale = Math.min(1, 1024 / Math.max(photo.naturalWidth, photo.naturalHeight));
    canvas.width = Math.max(1, Math.round(photo.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(photo.naturalHeight * scale));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "rgb(0 0 0 / .45)";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingQuality = "high";
    const [left, top, width, height] = map.box;
    pen.drawImage(small, left * canvas.width, top * canvas.height,
      width * canvas.width, height * canvas.height);
  }

  async function share() {
    const text = "SeeFood: " + words(result.label) + ", " + percent(result.score);
    try {
      if (navigator.share) {
        const photo = new File([sent], "seefood.jpg", { type: sent.type || "image/jpeg" });
        const all = { text, files: [photo] };
        await navigator.share(navigator.canShare && navigator.canShare(all) ? all : { text });
      } else {
        await navigator.clipboard.writeText(text);
        $("hint").textContent = say.copied;
      }
    } catch (error) {
      if (error.name !== "AbortError") { $("hint").textContent = text; }
    }
  }

  /* The start, also for the browser's Back. */
  function toStart() {
    turn += 1;
    closeCamera();
    show("result", false);
    show("start", true);
    $("touch").focus({ preventScroll: true });
  }

  function again() {
    toStart();
    if (history.state && history.state.photo) { leaving = true; history.back(); }
  }

  async function openCamera() {
    $("start-trouble").textContent = "";
    if (!navigator.mediaDevices) { $("camera").click(); return; }
    try {
      stream = await navigator.mediaDevices.getUserMedia(
        { video: { facingMode: "environment", width: { ideal: 1280 } } });
    } catch (error) {
      $("start-trouble").textContent = say.noCamera;
      return;
    }
    enter();
    $("video").srcObject = stream;
    show("start", false);
    show("live", true);
    await $("video").play();
    $("shutter").focus({ preventScroll: true });
  }

  function closeCamera() {
    if (stream) { stream.getTracks().forEach((track) => track.stop()); }
    stream = null;
    show("live", false);
  }

  function shutter() {
    const video = $("video");
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((photo) => { if (photo) { take(photo); } }, "image/jpeg", 0.92);
  }

  document.documentElement.lang = LANGUAGE;
  for (const holder of document.querySelectorAll("[data-text]")) {
    holder.textContent = say[holder.dataset.text];
  }
  // Nothing is painted before its text is there: the layout would shift.
  document.querySelector("main").hidden = false;
  $("photo").alt = say.photo;
  $("chances").setAttribute("aria-label", say.chances);
  for (const id of ["camera", "file"]) {
    $(id).addEventListener("change", (event) => {
      const file = event.target.files[0];
      event.target.value = "";
      if (file) { take(file); }
    });
  }
  $("touch").addEventListener("click", openCamera);
  $("shutter").addEventListener("click", shutter);
  $("leave").addEventListener("click", again);
  $("again").addEventListener("click", again);
  $("look").addEventListener("click", look);
  $("share").addEventListener("click", share);
  $("retry").addEventListener("click", () => { take(chosen); });
  addEventListener("popstate", () => {
    if (!leaving) { toStart(); } else if ($("start").hidden) { enter(); } // another photo already
    leaving = false;
  });
  /* Most browsers cannot show HEIC, which the network can read. */
  $("photo").addEventListener("error", () => {
    show("frame", false);
    show("blank", $("trouble").hidden);
    show("look", false);
  });
  addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((file) => file.type.startsWith("image/"));
    if (file) { take(file); }
  });
  addEventListener("dragover", (event) => { event.preventDefault(); show("drop", true); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) { show("drop", false); } });
  addEventListener("drop", (event) => {
    event.preventDefault();
    show("drop", false);
    const file = event.dataTransfer.files[0];
    if (file) { take(file); }
  });
  if (navigator.serviceWorker && isSecureContext) {
    navigator.serviceWorker.register("sw.js").catch(() => {});
  }
})();
