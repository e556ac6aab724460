// Makes the queue live. Every page works without it.
//
// The stream says only that something has changed; the rows are then fetched like a page, with the session, its
// scope and its audit entry. Whoever has a row focused keeps it; what is new, graver, seen again
// or open again is announced, by severity alone.
"use strict";

(() => {
  const problems = document.querySelector(".problems");
  if (problems) problems.focus();

  const queue = document.querySelector("#queue[data-live]");
  if (!queue || !("EventSource" in window)) return;

  const state = document.querySelector("#live-state");
  const announce = document.querySelector("#announce");
  // Past what a reconnecting proxy takes, short of what a lost alert costs.
  const RETRY_MS = 5000;
  let fetching = false;
  let again = false;

  const say = (className, text) => {
    state.className = `live-state ${className}`;
    state.textContent = text;
  };
  const alerts = (rows) => Array.from(rows.querySelectorAll("tr[data-alert]"));
  const known = () => new Map(alerts(queue).map((row) => [row.dataset.alert, { ...row.dataset }]));
  // What a colleague has just taken up is the one change that asks for nobody's attention.
  const isNews = (row, was) =>
    !was ||
    row.severity !== was.severity ||
    row.count !== was.count ||
    (row.status !== was.status && row.status === "open");
  const seen = () => queue.tBodies[0].dataset.seen;

  const refresh = async () => {
    // One fetch at a time; whatever changes meanwhile is one more.
    again = true;
    if (fetching) return;
    fetching = true;
    try {
      while (again) {
        again = false;
        const answer = await fetch("/queue/rows", { credentials: "same-origin", cache: "no-store" });
        if (answer.status === 401) return ended();
        if (!answer.ok) throw new Error("no rows");
        show(await answer.text());
      }
    } catch {
      say("off", "Not live. Reload the page to see what is new.");
      again = false;
      setTimeout(refresh, RETRY_MS);
    } finally {
      fetching = false;
    }
  };

  const show = (html) => {
    const before = known();
    const focused = document.activeElement?.closest?.("#queue tr[data-alert]")?.dataset.alert;
    const template = document.createElement("template");
    template.innerHTML = html;
    const rows = template.content.querySelector("tbody");
    if (!rows) return;
    const fresh = alerts(rows).filter((row) => isNews(row.dataset, before.get(row.dataset.alert)));
    for (const row of fresh) row.classList.add("fresh");
    queue.tBodies[0].replaceWith(rows);
    // Ids are written in hexadecimal digits and hyphens: safe within a selector.
    if (focused) queue.querySelector(`tr[data-alert="${focused}"] a`)?.focus({ preventScroll: true });
    if (fresh.length > 0) {
      const most = Math.max(...fresh.map((row) => Number(row.dataset.severity)));
      const added = fresh.filter((row) => !before.has(row.dataset.alert)).length;
      const counts = [
        [added, "new"],
        [fresh.length - added, "changed"],
      ];
      const text = counts
        .filter(([count]) => count > 0)
        .map(([count, kind]) => `${count} ${kind} ${count === 1 ? "alert" : "alerts"}`)
        .join(", ");
      announce.textContent = `${text}, severity ${most}`;
    }
    say("on", "Live: new alerts appear by themselves");
  };

  const ended = () => location.reload();

  const follow = () => {
    const source = new EventSource(`/live?seen=${encodeURIComponent(seen())}`);
    source.addEventListener("open", () => say("on", "Live: new alerts appear by themselves"));
    source.addEventListener("changed", refresh);
    source.addEventListener("ended", () => {
      source.close();
      ended();
    });
    source.addEventListener("error", () => {
      say("off", "Not live. Connecting again …");
      if (source.readyState === EventSource.CLOSED) {
        setTimeout(() => refresh().then(follow), RETRY_MS);
      }
    });
  };
  follow();
})();
