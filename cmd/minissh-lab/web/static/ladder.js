// Time: the latency slider, the socket buffers, and the ladder of a run.
import { t, language } from "./words.js";
import { $, page } from "./page.js";
import { el, sideName } from "./lanes.js";
import { time } from "./model.js";
import { events, layout } from "./timeline.js";

// ---- the controls

// buffers are the choices of the control.
export const buffers = () => [["0", t("buffers_system")], ...["2048", "4096", "16384", "65536"].map((n) => [n, n + " B"])];

// latency writes the slider's number beside it.
export function latency() {
  const slider = $("latency");
  $("latency-ms").textContent = slider.value + " ms";
  slider.setAttribute("aria-valuetext", slider.value + " ms");
  slider.oninput ??= latency;
}

// ---- lanes or ladder

// view chooses one, and says so on its button.
export function view(name) {
  if (name) page.view = name;
  const ladder = page.view === "ladder";
  $("result").dataset.view = ladder ? "ladder" : "lanes";
  $("view").setAttribute("aria-pressed", String(ladder));
  $("view").textContent = t("view_ladder");
}

// svg makes an element of a drawing.
function svg(tag, attributes = {}, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes)) if (v !== null && v !== undefined) e.setAttribute(k, v);
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

// Ladders are those of a run: one for each side, or for each two that share a clock. go(step)
// shows another step.
export class Ladders {
  constructor(lanes, go) {
    this.go = go;
    this.lanes = lanes;
    this.all = [];
    const together = lanes.length > 1 && (lanes[0].side.live || lanes[0].side.recorded);
    for (let i = 0; i < lanes.length; i += together ? 2 : 1) {
      const sides = lanes.slice(i, i + (together ? 2 : 1)).map((l) => l.side);
      const box = el("div", { class: "ladder", tabindex: "0", role: "group", "aria-label": t("ladder_of", sideName(sides[0])) });
      box.addEventListener("keydown", (e) => this.key(e));
      lanes[i].lanes.after(box);
      lanes[i].root.classList.toggle("pair", together);
      if (together && lanes[i + 1]) lanes[i + 1].root.classList.add("second");
      const run = together && lanes.length > 2 ? sides[0].title : ""; // which of several
      this.all.push({ box, sides, run, first: i, drawn: events(sides) });
    }
  }

  // measure lays the drawings out anew.
  measure() {
    if (page.view !== "ladder") return;
    const unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const room = innerWidth <= 900 ? 420 : Math.max(...this.all.map((l) => l.box.clientHeight)) / unit - 60;
    this.arrange(room, unit);
    const over = Math.max(...this.all.map((l) => l.box.scrollHeight - l.box.clientHeight)) / unit;
    if (innerWidth > 900 && over > 0) this.arrange(room - over, unit); // the words below need more
  }

  arrange(room, unit) {
    const all = layout(this.all.map((l) => l.drawn), room), words = this.all.map((l, i) => this.legend(l, all[i]));
    const once = words.every((w) => w === words[0]), least = all.indexOf(all.toSorted((a, b) => a.height - b.height)[0]);
    all.forEach((d, i) => {
      const l = this.all[i];
      if (!l.box.clientWidth) return;
      l.width = l.box.clientWidth / unit;
      l.box.replaceChildren(...(l.run ? [el("p", { class: "run" }, l.run)] : []), this.paint(l, d), ...(once && i !== least ? [] : [el("p", { class: "legend" }, words[i])]));
    });
  }

  legend({ sides }, d) {
    const words = [t("legend_scale")];
    if (!sides[0].recorded) words.push(t("legend_marks"));
    if (d.waits.some((w) => w.cut)) words.push(t("legend_cut"));
    if (sides[0].latency) words.push(t("legend_latency", sides[0].latency));
    else if (sides[0].recorded) words.push(t("legend_recorded"));
    else if (!sides[0].live && !sides[0].acks) words.push(t("legend_no_tcp"));
    return words.join(language() === "zh" ? "" : " ");
  }

  paint(l, d) {
    const narrow = l.width < 400, w = l.width;
    const x = narrow ? [Math.round(w * 0.35), Math.round(w * 0.67)] : [Math.round(Math.max(160, w * 0.375)), Math.round(Math.min(w - 128, w * 0.7))];
    const root = svg("svg", { class: "times", viewBox: `0 0 ${w} ${d.height}`, width: "100%", "aria-hidden": "true" });
    const [left, right] = l.sides[0].live || l.sides[0].recorded ? ["end_client", "end_server"] : ["end_sender", "end_receiver"];
    root.append(svg("text", { x: x[0], y: 13, "text-anchor": "middle", class: "who" }, t(left)), svg("text", { x: x[1], y: 13, "text-anchor": "middle", class: "who" }, t(right)));
    for (const at of x) root.append(svg("line", { x1: at, x2: at, y1: 18, y2: d.height - 2, class: "life" }));
    const shown = (o, ...children) => {
      const g = svg("g", { class: `ev ${o.kind}${o.message >= 0 ? " c" + (o.message % 8) : ""}`, "data-side": o.side, "data-k": o.k, "data-until": o.until ?? o.k, "data-kind": o.kind }, ...children, o.title ? svg("title", {}, o.title) : null);
      g.addEventListener("click", () => this.go(this.stepOf(l.first + o.side, o.k)));
      root.append(g);
      return g;
    };
    const label = (m) => narrow ? m.label.replace(/^(send|recv) /, "") : m.label;
    const words = d.marks.filter((m) => !m.line).map((m) => ({ y: m.y + 5, from: x[0] - 9 - 8 * label(m).length }));
    for (const wait of d.waits) {
      const mid = (wait.from + wait.to) / 2, g = svg("g", { class: "wait" + (wait.cut ? " cut" : "") });
      g.append(svg("path", { d: `M4 ${wait.from + 1}h8m-4 0V${wait.cut ? mid - 12 : wait.to - 1}${wait.cut ? `m-4 3l8 3l-8 3l8 3m-4 3V${wait.to - 1}` : ""}m-4 0h8` }));
      const long = wait.length >= 99950 ? `${Math.round(wait.length / 1000)} ms` : `${(wait.length / 1000).toFixed(1)} ms`;
      const y = wait.to - wait.from >= 14 ? free(mid + 5, wait, words.filter((w) => w.from < 20 + 9 * long.length)) : NaN;
      g.append(isNaN(y) ? svg("title", {}, long) : svg("text", { x: 16, y }, long));
      if (!isNaN(y)) words.push({ y, from: 16 });
      root.append(g);
    }
    for (const b of d.bars) {
      const out = b.line ? 1 : -1, off = b.kind === "window" ? 9 * -out : 0;
      const high = Math.max(0, b.yEnd - b.y);
      if (high < 3) continue;
      const g = shown({ ...b, message: -1, title: `${b.label} · ${time(b.at)} – ${time(b.to)}` }, svg("rect", { x: x[b.line] - 4 + off, y: b.y, width: 8, height: high }));
      const [from, to] = longest(b, d.waits); // there nothing else is written, or little
      const away = b.kind === "window" ? -out : out, y = (from + to) / 2 + (narrow && !b.line ? 21 : 5); // the wait's length has its line
      const at = away < 0 ? free(y, { from, to }, words) : y;
      if (to - from > 30 && !isNaN(at)) g.append(svg("text", { x: x[b.line] + off + away * 9, y: at, "text-anchor": away > 0 ? "start" : "end" }, narrow && b.kind === "waiting" ? b.label.replace(/ \D+$/, " B") : b.label));
    }
    for (const a of d.arrows) this.arrow(a, x, shown, narrow);
    for (const m of d.marks) {
      const out = m.line ? 1 : -1;
      shown(m, svg("circle", { cx: x[m.line], cy: m.y, r: 4 }), svg("text", { x: x[m.line] + out * 9, y: m.y + 5, "text-anchor": out > 0 ? "start" : "end" }, label(m)));
    }
    return root;
  }

  // arrow has a stub, which is seen until it is known that it arrived.
  arrow(a, x, shown, narrow) {
    const dir = a.to > a.from ? 1 : -1, x0 = x[a.from] + 4 * dir, x1 = x[a.to] - 5 * dir;
    const parts = [], there = a.end !== null, y1 = there ? a.yEnd : a.y;
    if (a.y - a.ySince > 3) {
      const [at, out] = a.kind === "tcp" ? [x[a.to], -dir] : [x[a.from], dir]; // where it was looked
      parts.push(svg("path", { class: "between", d: `M${at + 9 * out} ${a.ySince}h${-4 * out}V${a.y}h${4 * out}` }));
    }
    const stub = x0 + (x1 - x0) * 0.35, yStub = a.y + (y1 - a.y) * 0.35;
    parts.push(svg("line", { class: "stub", x1: x0, y1: a.y, x2: stub, y2: yStub }));
    if (there) parts.push(svg("path", { class: "whole", d: `M${x0} ${a.y}L${x1} ${y1}m${-7 * dir} ${-4 + (y1 > a.y ? -2 : 0)}l${7 * dir} ${4 + (y1 > a.y ? 2 : 0)}l${-7 * dir} ${4 - (y1 > a.y ? 1 : 0)}` }));
    const label = narrow ? a.label.replace(/^.*· /, "") : a.label;
    const along = 0.5 * Math.min(1, (label.length * 7.5) / Math.abs(x1 - x0));
    parts.push(svg("text", { x: x0 + 4 * dir, y: a.y + (y1 - a.y) * along - 4, "text-anchor": dir > 0 ? "start" : "end" }, label));
    shown(a, ...parts);
  }

  stepOf(side, k) { return Math.max(0, page.steps.findIndex((c) => c[side] > k)); }

  // draw shows what has happened after the given numbers of events.
  draw(counts) {
    if (page.view !== "ladder") return;
    const before = page.step > 0 ? page.steps[page.step - 1] : counts.map(() => 0);
    for (const l of this.all) {
      let now = null;
      for (const g of l.box.querySelectorAll(".ev")) {
        const n = counts[l.first + Number(g.dataset.side)], k = Number(g.dataset.k);
        g.classList.toggle("later", k >= n);
        g.classList.toggle("flying", Number(g.dataset.until) >= n);
        const is = k < n && k >= before[l.first + Number(g.dataset.side)] && g.dataset.kind !== "tcp" && !g.querySelector("rect");
        g.classList.toggle("now", is);
        if (is) now = g;
      }
      const speaks = l.sides.findIndex((_, s) => counts[l.first + s] !== before[l.first + s]);
      if (speaks > 0) this.say(l.first, l.first + speaks);
      if (now) reveal(l.box, now);
      else if (page.step === 0) l.box.scrollTop = 0;
    }
  }

  // say gives a ladder's step the words of the side that it is of.
  say(first, speaks) {
    const to = this.lanes[first], from = this.lanes[speaks];
    to.caption.replaceChildren(...[...from.caption.childNodes].map((n) => n.cloneNode(true)));
    to.root.toggleAttribute("data-now", true);
  }

  key(e) {
    const to = { ArrowDown: page.step + 1, ArrowUp: page.step - 1, Home: 0, End: page.steps.length - 1 }[e.key];
    if (to === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    this.go(to);
  }
}

// free is the place for a line of text that is nearest to y, from one end to the other, and clear of
// the words that are there; NaN if there is none.
function free(y, { from, to }, words) {
  const places = [y, ...words.flatMap((w) => [w.y - 17, w.y + 17])];
  const good = places.filter((p) => p >= from + 11 && p <= to + 4 && words.every((w) => Math.abs(w.y - p) >= 16.5));
  return good.length ? good.reduce((a, b) => (Math.abs(b - y) < Math.abs(a - y) ? b : a)) : NaN;
}

// longest is the part of a bar in which the longest wait lies.
function longest(bar, waits) {
  let best = [0, 0];
  for (const w of waits) {
    const part = [Math.max(w.from, bar.y), Math.min(w.to, bar.yEnd)];
    if (part[1] - part[0] > best[1] - best[0]) best = part;
  }
  return best;
}

// reveal scrolls the box, and nothing else, to an element.
function reveal(box, g) {
  const outer = box.getBoundingClientRect(), inner = g.getBoundingClientRect();
  if (inner.top < outer.top + 20) box.scrollTop -= outer.top + 40 - inner.top;
  else if (inner.bottom > outer.bottom - 8) box.scrollTop += inner.bottom - outer.bottom + 24;
}
