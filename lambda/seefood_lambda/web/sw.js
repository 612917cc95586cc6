/* Keeps the page for a start without a network. Pictures and labels are never stored. */
"use strict";
const STORE = "seefood-page-1";
const FILES = ["./", "manifest.webmanifest", "icon.svg", "icon-192.png"];

addEventListener("install", (event) => {
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(FILES)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => name !== STORE).map((name) => caches.delete(name))))
    .then(() => clients.claim()));
});

/* The network first: a new version of the page is shown at once. */
addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const known = event.request.method === "GET" && url.origin === location.origin
    && FILES.some((file) => new URL(file, registration.scope).pathname === url.pathname);
  if (!known) { return; }
  event.respondWith(fetch(event.request).then((response) => {
    if (response.ok) {
      const copy = response.clone();
      event.waitUntil(caches.open(STORE).then((store) => store.put(url.pathname, copy)));
    }
    return response;
  }).catch(() => caches.match(url.pathname, { ignoreSearch: true })));
});
