// Keeps a page up to date and its buttons quick. Every page works without it.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const byID = (id) => document.getElementById(id);
  const state = byID("live-state");

  // Distances from now.
  function span(seconds) {
    const s = Math.max(0, Math.floor(seconds));
    const two = (a, unit, b, smaller) => (b ? `${a} ${unit} ${b} ${smaller}` : `${a} ${unit}`);
    if (s < 60) return `${s} s`;
    if (s < 3600) return two(Math.floor(s / 60), "min", s % 60, "s");
    if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min");
    return two(Math.floor(s / 86400), "d", Math.floor((s % 86400) / 3600), "h");
  }
  function tell(time, now) {
    const away = (now - Date.parse(time.dateTime)) / 1000;
    const kind = time.dataset.when;
    let text = "";
    if (kind === "age") text = span(away);
    if (kind === "ago") text = Math.abs(away) < 1 ? "now" : away < 0 ? `in ${span(-away)}` : `${span(away)} ago`;
    if (text && time.textContent !== text) time.textContent = text;
  }
  function tick() {
    const now = Date.now();
    document.querySelectorAll("time[data-when]").forEach((t) => tell(t, now));
    document.querySelectorAll("progress[data-since]").forEach((p) => {
      const part = (now - Date.parse(p.dataset.since)) / 1000 / Number(p.dataset.expected);
      p.value = Math.min(1, Math.max(0, part));
      p.classList.toggle("over", part > 1);
    });
  }
  tick();
  setInterval(tick, 1000);

  // Changes from the server: regions, and rows within them.
  function element(html, within) {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    const found = holder.content.firstElementChild;
    if (!found && within) throw new Error("empty fragment");
    return found;
  }
  function busyWith(region) {
    const at = document.activeElement;
    return region.contains(at) && at.closest("form") && (at.matches("input, select, textarea") || at.closest("details[open]"));
  }
  const later = new Map();
  function keepOpen(before, after) {
    before.querySelectorAll("details[id]").forEach((d) => {
      const same = after.querySelector(`#${CSS.escape(d.id)}`);
      if (same) same.open = d.open;
    });
  }
  function focusPath(region) {
    const at = document.activeElement;
    if (!at || at === document.body || !region.contains(at)) return null;
    if (at.id) return { id: at.id };
    const all = [...region.querySelectorAll("a, button, summary, [tabindex]")];
    return { index: all.indexOf(at), tag: at.tagName };
  }
  function refocus(region, path) {
    if (!path) return;
    const found = path.id ? byID(path.id) : region.querySelectorAll("a, button, summary, [tabindex]")[path.index];
    if (found && (path.id || found.tagName === path.tag)) found.focus({ preventScroll: true });
  }
  function frame(region, html) {
    const fresh = element(html, true);
    if (!region) { byID("regions").append(fresh); return fresh; }
    const rows = region.querySelector("[data-rows]");
    const place = fresh.querySelector("[data-rows]");
    const path = focusPath(region);
    if (rows && place && rows.tagName === place.tagName) place.append(...rows.childNodes);
    keepOpen(region, fresh);
    const scrolled = [...region.querySelectorAll(".scroll")].map((s) => s.scrollLeft);
    region.replaceWith(fresh);
    fresh.querySelectorAll(".scroll").forEach((s, i) => { s.scrollLeft = scrolled[i] || 0; });
    refocus(fresh, path);
    return fresh;
  }
  function rowsOf(region, change) {
    const place = region.querySelector("[data-rows]");
    if (!place) return;
    for (const [id, html] of Object.entries(change.rows || {})) {
      const old = byID(id);
      const path = old && focusPath(old);
      // A row is parsed where rows may stand.
      const holder = document.createElement("template");
      holder.innerHTML = html.trim();
      const fresh = holder.content.firstElementChild;
      if (!fresh) continue;
      if (old) { old.replaceWith(fresh); refocus(fresh, path); } else place.append(fresh);
    }
    if (change.empty) place.replaceChildren();
    if (change.order) {
      const wanted = new Set(change.order);
      [...place.children].forEach((row) => { if (!wanted.has(row.id)) row.remove(); });
      change.order.forEach((id, i) => {
        const row = byID(id);
        if (row && place.children[i] !== row) place.insertBefore(row, place.children[i] || null);
      });
    }
  }
  function apply(update) {
    for (const change of update.regions || []) {
      let region = byID(change.id);
      if (change.frame !== undefined && change.frame !== null) {
        if (region && busyWith(region)) { later.set(change.id, change.frame); } else { region = frame(region, change.frame); }
      }
      if (region) rowsOf(region, change);
    }
    if (update.order) {
      const all = byID("regions");
      const wanted = new Set(update.order);
      [...all.children].forEach((r) => { if (!wanted.has(r.id)) r.remove(); });
      update.order.forEach((id, i) => { const r = byID(id); if (r && all.children[i] !== r) all.insertBefore(r, all.children[i] || null); });
    }
    if (update.say) byID("say").textContent = update.say;
    tick();
  }
  document.addEventListener("focusout", () => setTimeout(() => {
    for (const [id, html] of later) {
      const region = byID(id);
      if (region && busyWith(region)) continue;
      later.delete(id);
      if (region) frame(region, html);
    }
    tick();
  }));

  const from = document.body.dataset.live;
  let source = null;
  function show(text, lost) {
    state.hidden = false;
    state.textContent = text;
    state.classList.toggle("lost", lost);
  }
  function listen() {
    if (!from || source) return;
    source = new EventSource(from);
    source.onopen = () => show("live", false);
    source.onmessage = (event) => apply(JSON.parse(event.data));
    source.onerror = () => {
      const gone = source.readyState === EventSource.CLOSED;
      show(gone ? "not live: load again" : "reconnecting", true);
      if (gone) { source = null; setTimeout(listen, 10000); }
    };
  }
  function rest() {
    if (source) { source.close(); source = null; }
  }
  // A browser keeps six connections to a host: pages nobody sees give theirs back.
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  window.addEventListener("pagehide", rest);
  listen();

  // Forms that choose send themselves; forms that do something call the API.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-switch]");
    if (form) form.requestSubmit();
  });
  const csrf = document.querySelector('meta[name="csrf"]').content;
  function note(text, bad) {
    const place = byID("note");
    place.textContent = text;
    place.classList.toggle("empty", !text);
    place.classList.toggle("bad", bad);
  }
  function wish(form) {
    const data = new FormData(form);
    const w = {};
    if (data.get("force")) w.force = true;
    const job = data.get("job") === "other" ? data.get("other") : data.get("job");
    if (job === "none") w.none = true; else if (job) w.job_id = job;
    return w;
  }
  async function call(form) {
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const answer = await fetch(form.dataset.call, {
        method: "POST", credentials: "same-origin", redirect: "error",
        headers: { "Content-Type": "application/json", "X-Weir-Csrf": csrf }, body: JSON.stringify(wish(form)),
      });
      const type = answer.headers.get("Content-Type") || "";
      const body = type.includes("json") ? await answer.json() : { error: { message: (await answer.text()).trim() } };
      if (body.error) { note(`${body.error.message}${body.error.hint ? ` (${body.error.hint})` : ""}`, true); return; }
      const did = form.dataset.call.split("/").pop();
      note(form.dataset.done || did[0].toUpperCase() + did.slice(1) + ": recorded.", false);
      const open = form.closest("details");
      if (open) open.open = false;
      document.activeElement.blur();
      if (!source) location.reload();
    } catch (problem) {
      note("The server did not answer. Try again.", true);
    } finally {
      button.disabled = false;
    }
  }
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-call]");
    if (!form) return;
    event.preventDefault();
    call(form);
  });
})();
