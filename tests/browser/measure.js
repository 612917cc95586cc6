/* Measures what the window shows; see `measure` in upload_states.py. */
const done = arguments[arguments.length - 1];
const seen = (element) => element.checkVisibility({ visibilityProperty: true })
  && !element.closest(".hide") && element.getBoundingClientRect().width > 1;
const name = (element) => element.tagName.toLowerCase() + (element.id ? "#" + element.id : "."
  + element.getAttribute("class")) + " " + element.textContent.trim().slice(0, 30);
const hasText = (element) => [...element.childNodes]
  .some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
const inside = (element) => {
  const box = element.getBoundingClientRect();
  return box.left >= -1 && box.top >= -1 && box.right <= innerWidth + 1
    && box.bottom <= innerHeight + 1;
};

/* The colours that may be behind an element: of a gradient all. */
function behind(element) {
  for (let at = element; at; at = at.parentElement) {
    const style = getComputedStyle(at);
    const stops = style.backgroundImage.match(/rgba?\([^)]*\)/g);
    if (stops) { return stops; }
    if (!/, 0\)$|transparent/.test(style.backgroundColor)) { return [style.backgroundColor]; }
  }
  return ["rgb(255, 255, 255)"];
}
function luminance(color) {
  const [red, green, blue] = color.match(/[\d.]+/g).map(Number).map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
function contrast(element) {
  const own = luminance(getComputedStyle(element).color);
  return Math.min(...behind(element).map(luminance)
    .map((other) => (Math.max(own, other) + 0.05) / (Math.min(own, other) + 0.05)));
}

function result() {
  const texts = [...document.querySelectorAll("main *")].filter((one) => hasText(one) && seen(one));
  const boxes = [...texts, ...document.querySelectorAll("#photo, button, .dog, #dog")]
    .filter((one, at, all) => seen(one) && all.indexOf(one) === at);
  const overlaps = [];
  for (const [at, one] of boxes.entries()) {
    for (const other of boxes.slice(at + 1)) {
      if (one.contains(other) || other.contains(one)) { continue; }
      const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (width > 1 && height > 1) { overlaps.push(name(one) + " / " + name(other)); }
    }
  }
  return {
    overlaps,
    outside: boxes.filter((one) => !inside(one)).map(name),
    contrasts: texts.filter((one) => contrast(one) < 4.5)
      .map((one) => name(one) + " " + contrast(one).toFixed(2)),
  };
}

/* CLS: the largest sum of shifts in a session window of at most 5 s with gaps below 1 s. */
let shift = 0, sum = 0, first = -Infinity, last = -Infinity;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries().filter((one) => !one.hadRecentInput)) {
    const isNew = entry.startTime - last >= 1000 || entry.startTime - first >= 5000;
    if (isNew) { [sum, first] = [0, entry.startTime]; }
    last = entry.startTime;
    sum += entry.value;
    shift = Math.max(shift, sum);
  }
}).observe({ type: "layout-shift", buffered: true });
/* The reveal ends; the scan does not. */
const ending = document.getAnimations().filter((one) => one.effect.getTiming().iterations === 1);
Promise.all(ending.map((one) => one.finished))
  .then(() => setTimeout(() => done({ ...result(), shift }), 60));
