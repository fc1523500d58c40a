// The ladder's drawing, worked out without a page: what is drawn between two life lines, and
// where, from top to bottom. Units are those of the drawing: 16 are one rem.
import { t } from "./words.js";
import { time } from "./model.js";

// WAIT is from how many microseconds on nothing happening is a wait, and drawn to scale.
export const WAIT = 2000;
const LABEL = 19; // between two labels of one column
const POINT = 5; // between any two points
const LONG = 8; // a wait that is so many times the next longest is shortened

const size = (e) => e.to - e.from;

// events are the marks, arrows and bars of the sides, which share a clock. Columns are 0, the
// left line, 1, the right line, and 2, between them.
export function events(sides) {
  const marks = [], arrows = [], bars = [];
  sides.forEach((side, i) => {
    const from = side.name === "to_client" || side.name === "down" ? 1 : 0, to = 1 - from;
    const client = 0; // where frames are seen
    let held = null, blocked = null, waiting = null, recv = null;
    const end = (bar, at, k) => { if (bar) bars.push({ ...bar, to: at, until: k }); };
    side.events.forEach((e, k) => {
      const mark = (line, label, title, kind = e.kind) => { const m = { side: i, k, at: e.at, line, label, title, kind, message: side.messageAt(e.from) }; marks.push(m); return m; };
      switch (e.kind) {
        case "send":
          end(blocked, e.at, k); blocked = null;
          mark(from, side.guessed ? t("l_piece", e) : t("l_send", e), time(e.at));
          if (e.held > 0 && !held && !blocked && !side.live) held = { side: i, k, line: from, at: e.at, kind: "held", label: t("l_held", e.held) };
          break;
        case "block":
          mark(from, t("l_block", e), time(e.at));
          end(held, e.at, k); held = null; // it waits for more than Nagle
          blocked = { side: i, k, line: from, at: e.at, kind: "blocked", label: t("l_blocked") };
          break;
        case "segment": {
          const there = side.recorded ? -1 : side.events.findIndex((b) => (b.kind === "buffer" || b.kind === "recv" && size(b) > 0) && b.to >= e.to && b.at >= (e.since || 0));
          const came = there < 0 ? null : side.events[there];
          const left = came ? Math.min(e.at, came.at) : e.at;
          arrows.push({ side: i, k, until: Math.max(k, there), kind: "segment", from, to, at: left, since: e.since || 0, end: came ? came.at : side.recorded ? e.at : null, label: e.count > 1 ? t("l_segments", e) : t("l_segment", e), title: t("l_seen", time(e.since || 0), time(e.at)), message: side.messageAt(e.from), seen: side.recorded });
          if (held && !(e.held > 0)) { end(held, left, k); held = null; }
          break;
        }
        case "buffer":
          if (!side.live) mark(to, t("l_buffer", e), time(e.at));
          if (!waiting) waiting = { side: i, k, line: to, at: e.at, kind: "waiting", label: t("l_waiting", size(e)) };
          break;
        case "recv":
          recv = mark(to, size(e) ? t("l_recv", e) : t("l_recv_end"), `recv(${e.ask || ""}) · ${time(e.at)}`);
          end(waiting, e.at, k); waiting = null;
          break;
        case "message":
          if (recv) recv.label += t("l_took", e.n);
          break;
        case "ack":
          arrows.push({ side: i, k, until: k, kind: "ack", from: to, to: from, at: e.since ?? e.at, since: e.since ?? e.at, end: e.at, label: "recv_ready", title: `${time(e.since ?? e.at)} – ${time(e.at)}`, message: -1 });
          break;
        case "close": mark(from, t("l_close"), time(e.at)); break;
        case "frame": mark(client, (i ? "← " : "→ ") + e.text, `${e.text} · ${time(e.at)}`).message = e.n - 1; break;
      }
    });
    let closed = null;
    for (const a of side.acks || []) {
      const k = side.events.findIndex((e) => e.at >= a.at);
      const shown = { side: i, k: k < 0 ? side.events.length - 1 : Math.max(0, k - 1), until: 0 };
      shown.until = shown.k;
      arrows.push({ ...shown, kind: "tcp", from: to, to: from, at: a.at, since: a.since, end: a.at, label: t("l_tcp", a), title: t("l_tcp_title", a, time(a.since), time(a.at)), message: -1 });
      if (a.window === 0 && !closed) closed = { ...shown, line: from, at: a.at, kind: "window", label: t("l_window_full") };
      if (a.window > 0 && closed) { bars.push({ ...closed, to: a.at, until: shown.k }); closed = null; }
    }
    const last = side.events.length - 1, over = side.events[last]?.at ?? 0;
    for (const bar of [held, blocked, closed]) if (bar) bars.push({ ...bar, to: over, until: last });
  });
  return { marks, arrows, bars };
}

// waits are the long stretches between two moments in which something is seen.
function waits(moments) {
  const all = [];
  moments.forEach((m, i) => { if (i > 0 && m.at - moments[i - 1].at >= WAIT) all.push(m.at - moments[i - 1].at); });
  return all;
}

// moments are all points in time that need a place, in order.
function moments({ marks, arrows }) {
  const all = [];
  for (const m of marks) all.push({ at: m.at, column: m.line, of: m, what: "y" });
  for (const a of arrows) {
    all.push({ at: a.at, column: 2, of: a, what: "y" });
    if (a.end !== null && a.end > a.at) all.push({ at: a.end, column: -1, of: a, what: "yEnd" });
  }
  return all.map((m, i) => ({ ...m, i })).sort((a, b) => a.at - b.at || (a.of.side - b.of.side) || (a.of.k - b.of.k) || a.i - b.i);
}

// layout places several ladders at one scale, so that their waits can be compared: each gets
// {marks, arrows, bars, waits, height}. room is the height that they should have, if they can.
export function layout(ladders, room) {
  const all = ladders.map((l) => ({ ...l, moments: moments(l) }));
  const long = all.flatMap((l) => waits(l.moments)).sort((a, b) => b - a);
  const most = long.length > 1 && long[1] >= 10000 && long[0] > LONG * long[1] ? LONG * long[1] : Infinity;
  let scale = Infinity;
  for (const l of all) {
    const sum = waits(l.moments).reduce((s, w) => s + Math.min(w, most), 0);
    const bare = place(l, 0, most);
    if (sum > 0) scale = Math.min(scale, Math.max(150, Math.min(420, room - bare)) / sum);
  }
  if (scale === Infinity) scale = 0;
  for (const l of all) l.height = place(l, scale, most) + 14;
  return all;
}

// place gives each moment its y, and returns the last one.
function place(ladder, scale, most) {
  const last = [0, 0, 0, 0]; // of each column's labels
  let y = 26, before = null;
  ladder.waits = [];
  ladder.places = [];
  for (const m of ladder.moments) {
    let next = before === null ? y : y + POINT;
    const wait = before === null ? 0 : m.at - before;
    if (wait >= WAIT) next = Math.max(next, y + Math.min(wait, most) * scale);
    if (m.column >= 0 && last[m.column] > 0) next = Math.max(next, last[m.column] + LABEL);
    if (wait >= WAIT && scale > 0) ladder.waits.push({ from: y, to: next, length: wait, cut: wait > most });
    y = next;
    if (m.column >= 0) last[m.column] = y;
    m.of[m.what] = y;
    if (m.what === "y" && m.of.end !== undefined && m.of.end !== null && m.of.end <= m.of.at) m.of.yEnd = y;
    ladder.places.push([m.at, y]);
    before = m.at;
  }
  for (const b of ladder.bars) { b.y = at(ladder, b.at); b.yEnd = at(ladder, b.to); }
  for (const a of ladder.arrows) a.ySince = at(ladder, a.since);
  return y;
}

// at is where a moment is drawn.
export function at({ places }, when) {
  let below = places[0] ?? [0, 26];
  for (const p of places) {
    if (p[0] > when) return p[0] === below[0] ? p[1] : below[1] + ((when - below[0]) / (p[0] - below[0])) * (p[1] - below[1]);
    below = p;
  }
  return below[1];
}
