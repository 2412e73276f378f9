// What htmx does not do by itself: rest while nobody looks, leave a form alone while somebody fills it in, and tell a
// screen reader of the verdict only when it has changed.
"use strict";
(() => {
  const FIELDS = "input:not([type=hidden]), select, textarea";

  document.addEventListener("htmx:beforeRequest", (event) => {
    const live = event.detail.elt;
    const inUse = document.activeElement;
    const beingFilledIn = inUse && live.contains(inUse) && inUse.matches(FIELDS);
    const opened = live.querySelector("details[open] form");
    if (document.hidden || beingFilledIn || opened) event.preventDefault();
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && window.htmx) {
      for (const live of document.querySelectorAll("[data-live]")) window.htmx.trigger(live, "look");
    }
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const live = event.detail.target;
    const text = event.detail.xhr.responseText;
    if (live.lastSeen === text) event.detail.shouldSwap = false;
    else if (event.detail.shouldSwap) live.lastSeen = text;
  });

  let told = document.querySelector("[data-told]")?.textContent.trim();
  document.addEventListener("htmx:afterSwap", () => {
    const now = document.querySelector("[data-told]")?.textContent.trim();
    const listener = document.getElementById("told");
    if (listener && now && now !== told) listener.textContent = now;
    told = now ?? told;
  });

  const stale = document.getElementById("stale");
  const show = (lost) => () => { if (stale) stale.hidden = !lost; };
  document.addEventListener("htmx:sendError", show(true));
  document.addEventListener("htmx:responseError", show(true));
  document.addEventListener("htmx:afterOnLoad", (event) => { if (event.detail.successful) show(false)(); });

  // A second click while the first is under way would only be refused.
  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("button")) setTimeout(() => { button.disabled = true; });
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
  });
})();
