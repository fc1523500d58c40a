// The lanes of one side: built once for a run, filled anew at each step.
import { t, both, language } from "./words.js";
import { glyph, time } from "./model.js";
import { because } from "./why.js";

// el makes an element; children may be text.
export function el(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) {
    if (k === "class") e.className = v;
    else if (v !== null && v !== undefined) e.setAttribute(k, v);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

const size = (e) => e.to - e.from;

// wide is how many pixels a word of 14 needs.
const pen = document.createElement("canvas").getContext("2d");
function wide(word, weight = 400) {
  pen.font = `${weight} 14px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(word).width;
}

// say puts an event into words.
export function say(e, side) {
  if (!e) return t("start_note");
  let what;
  switch (e.kind) {
    case "send": what = size(e) === 0 ? t("ev_send_empty", e) : side.guessed ? t("ev_piece", e) : side.live ? t("ev_send_wire", e) : t("ev_send", e); break;
    case "segment": what = size(e) === 0 ? t("ev_resent", e) : e.count > 1 ? t("ev_segments", e) : t("ev_segment", e); break;
    case "recv": what = size(e) === 0 ? t("ev_recv_end", e) : t("ev_recv", e); break;
    case "close": what = t("ev_close"); break;
    default: what = t("ev_" + e.kind, e);
  }
  return `${what} · ${time(e.at)}`;
}

export function sideName(side) {
  if (side.title) return `${side.title} · ${t("side_" + side.name)}`;
  if (side.name !== "fixed") return t("side_" + side.name);
  return t("side_fixed", both("framing_" + side.framing));
}

// Lanes draws one side. touched(offset) is called when a byte is chosen.
export class Lanes {
  constructor(side, touched) {
    this.side = side;
    this.touched = touched;
    this.chosen = -1;
    this.count = 0;
    this.kinds = side.title ? ["send", "segment", ...(side.seen ? ["recv"] : [])] : side.live ? ["frame", "send", "segment", "buffer", "recv"] : ["send", "segment", "buffer", "recv"];
    this.caption = el("p", { class: "caption" });
    this.verdict = el("p", { class: "verdict" });
    this.tally = el("p", { class: "tally" });
    this.tracks = {};
    const lanes = el("div", { class: "lanes" + (side.axis.linear ? "" : " fine"), tabindex: "0", role: "slider", "aria-valuemin": "0", "aria-valuemax": String(Math.max(0, side.total - 1)), "aria-label": sideName(side) });
    for (const kind of this.kinds) {
      const guessed = side.guessed && kind === "send" ? " ?" : "";
      const track = el("div", { class: "track", "data-lane": kind });
      this.tracks[kind] = track;
      lanes.append(el("div", { class: "lane" }, el("span", { class: "lane-name" }, t("lane_" + kind) + guessed), track));
    }
    this.cursor = el("div", { class: "cursor", hidden: "" });
    lanes.append(this.cursor);
    this.lanes = lanes;
    const mark = { broken: "A", fixed: "B", nagle: "A", nodelay: "B", up: "→", down: "←", to_server: "→", to_client: "←" }[side.name];
    this.badge = el("span", { class: "badge", "aria-hidden": "true" }, mark);
    this.mark = mark;
    this.root = el("article", { class: "panel side-" + side.name, "data-side": side.name },
      el("header", {}, el("h2", {}, this.badge, sideName(side)), this.caption),
      lanes,
      el("footer", {}, this.verdict, side.axis.linear ? null : el("p", { class: "scale" }, t("not_to_scale")), this.tally));
    lanes.addEventListener("pointerdown", (e) => this.point(e));
    lanes.addEventListener("keydown", (e) => this.key(e));
  }

  // measure is called when the page has laid the lanes out anew.
  measure() {
    this.width = this.tracks.send.clientWidth || 800;
    this.left = this.tracks.send.offsetLeft;
    this.unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16; // pixels grow with the screen
  }

  // draw shows the state after the first n events.
  draw(n) {
    this.count = n;
    const side = this.side, s = side.state(n);
    this.caption.replaceChildren(el("b", {}, say(s.now, side)), " ", el("span", {}, because(side, n)));
    const done = n === side.events.length;
    const segments = side.segments < 0 ? "?" : s.segments.reduce((sum, e) => sum + e.count, 0);
    this.tally.textContent = side.guessed ? t("tally_recorded", s.sends.length, segments) : t("tally", s.sends.length, segments, s.recvs.filter(size).length, s.acks);
    if (this.tracks.frame) this.fill("frame", s.frames, (e) => [e.text, `${e.text} ${size(e) - 12}`]);
    this.fill("send", s.sends, (e) => [`#${e.n}`, `#${e.n} · ${size(e)} B`]);
    this.fill("segment", s.segments, (e) => e.count > 1 ? ["?", t("boundary_unknown", e.count)] : [`#${e.n}`, `#${e.n} · ${size(e)} B`], (e) => e.count > 1 ? " blurred" : "");
    if (this.tracks.recv) this.fill("recv", s.recvs, (e) => [`#${e.n}`, `#${e.n} → ${size(e)} B`]);
    if (this.tracks.buffer) this.buffer(s);
    this.seams(s, side.marks(n));
    if (side.segments < 0) this.tracks.segment.append(el("p", { class: "unknown" }, t(side.recorded ? "segments_unknown" : "unknown_here")));
    if (side.recorded && !side.seen) this.tracks.recv?.replaceChildren(el("p", { class: "unknown" }, t("unseen_here")));
    if (s.held > 0) this.tracks.segment.append(this.block({ from: s.left, to: s.left + s.held }, ["…", t("held", s.held)], " held"));
    this.verdict.textContent = "";
    this.verdict.className = "verdict";
    this.badge.textContent = !done || !side.judged ? this.mark : side.right ? "✓" : "✗";
    this.badge.className = "badge" + (!done || !side.judged ? "" : side.right ? " right" : " wrong");
    if (done && side.judged) {
      const [sent, got] = [side.sent.length, side.got.length];
      this.verdict.textContent = side.right ? t("verdict_right", sent) : sent === got ? t("verdict_changed", got) : t("verdict_wrong", sent, got);
      this.verdict.className = "verdict " + (side.right ? "good" : "bad");
      this.took();
    }
    this.choose(this.chosen);
  }

  // took adds what the program took for messages to the verdict: as many as there is room for.
  took() {
    const { got } = this.side, brief = (m) => (m.text.length > 20 ? m.text.slice(0, 16) + `…" (${m.size})` : m.text);
    for (const n of [4, 2, 1]) {
      const texts = got.slice(0, n).map(brief).join(language() === "zh" ? "，" : ", ");
      const took = el("span", { class: "took" }, texts + (got.length > n ? " …" : ""));
      this.verdict.append(took);
      if (this.verdict.scrollWidth <= this.verdict.clientWidth) return;
      took.remove();
    }
  }

  fill(lane, events, tags, extra = () => "") {
    this.tracks[lane].replaceChildren(...events.filter(size).map((e) => this.block(e, tags(e), extra(e))));
  }

  buffer(s) {
    const [from, to] = s.buffer, blocks = [];
    if (!this.side.buffer) {
      this.tracks.buffer.replaceChildren(el("p", { class: "unknown" }, t(this.side.recorded ? "unseen_here" : "unknown_here")));
      return;
    }
    if (s.read > 0) blocks.push(this.block({ from: 0, to: s.read }, ["", ""], " ghost"));
    if (to > from) blocks.push(this.block({ from, to }, [String(to - from), t("waiting", to - from)], " waiting"));
    this.tracks.buffer.replaceChildren(...blocks);
  }

  // seams are the lasting marks in the buffer and in what recv returned. Each says what happened
  // there if there is room for it, and nothing waits under it.
  seams(s, marks) {
    const at = (m) => this.side.axis.at(m.at) * this.width;
    let free = 0; // pixels from the left that are taken
    marks.forEach((m, i) => {
      const x = at(m), next = i + 1 < marks.length ? at(marks[i + 1]) : this.width;
      const seam = el("i", { class: "seam " + m.kind, title: t(`seam_${m.kind}_help`, m.n), "data-at": m.at, "data-kind": m.kind });
      const line = el("i", { class: "seam " + m.kind });
      seam.style.left = line.style.left = `${this.side.axis.at(m.at) * 100}%`;
      for (const word of m.at <= s.buffer[0] ? [t("seam_" + m.kind), t("seam_short_" + m.kind)] : []) {
        const room = (wide(word, 650) + 12) * this.unit, left = x - room >= free, right = x + room <= next && m.at < s.read;
        if (!left && !right) continue;
        seam.append(el("b", { class: left ? "" : "after" }, word));
        free = left ? x : x + room;
        break;
      }
      free = Math.max(free, x);
      this.tracks.buffer?.append(seam);
      this.tracks.recv?.append(line);
    });
    const count = (kind) => marks.filter((m) => m.kind === kind).length;
    const words = ["stuck", "cut"].filter(count).map((kind) => t("tally_" + kind, count(kind)));
    if (words.length) this.tally.prepend(el("b", {}, words.join(" · ")), " · ");
  }

  // block is a stretch of the stream: one frame around it, inside the pieces of each
  // message in its colour.
  block(e, tags, extra) {
    const { axis } = this.side;
    const x0 = axis.at(e.from), x1 = axis.at(e.to), px = this.pixels(e.from, e.to);
    const block = el("div", { class: "block" + extra, "data-from": e.from, "data-to": e.to, "data-n": e.n });
    block.style.left = `${x0 * 100}%`;
    block.style.width = `${(x1 - x0) * 100}%`;
    const tag = tags.findLast((word) => px >= wide(word) + 8) ?? "";
    const pieces = el("div", { class: "pieces" });
    if (!extra.includes("ghost")) {
      this.side.sent.forEach((m, i) => {
        const from = Math.max(m.from, e.from), to = Math.min(m.to, e.to);
        if (to > from) pieces.append(this.piece(i, from, to, x0, x1, tag ? Math.max(0, wide(tag) - this.pixels(e.from, from)) : 0));
      });
    }
    block.append(pieces);
    if (tag) block.append(el("span", { class: "tag" + (px < wide(tag) + 12 ? " tight" : "") }, tag));
    return block;
  }

  // pixels is how far apart two bytes are, in pixels of a screen of 16 to the rem.
  pixels(from, to) { return ((this.side.axis.at(to) - this.side.axis.at(from)) * this.width) / this.unit; }

  piece(message, from, to, x0, x1, taken) {
    const { axis, data } = this.side;
    const piece = el("div", { class: `piece m${message % 8}`, "data-from": from, "data-to": to, "data-message": message + 1 });
    const a = axis.at(from), b = axis.at(to);
    piece.style.left = `${((a - x0) / (x1 - x0)) * 100}%`;
    piece.style.width = `${((b - a) / (x1 - x0)) * 100}%`;
    const cell = axis.linear ? this.width / this.unit / Math.max(1, this.side.total) : 0;
    if (cell >= 10) {
      for (let i = from; i < to; i++) {
        const g = glyph(data[i]);
        piece.append(el("b", { class: g.length > 1 ? "hex" : "" }, g.length > 1 && cell < 20 ? "·" : g));
      }
    } else if (this.pixels(from, to) > 30 + taken) {
      piece.append(el("b", { class: "number" }, String(message + 1)));
    }
    return piece;
  }

  // choose marks a byte through all lanes; -1 none.
  choose(offset) {
    this.chosen = offset;
    this.cursor.hidden = offset < 0;
    if (offset < 0) return;
    const { axis } = this.side;
    const left = this.left + axis.at(offset) * this.width, right = this.left + axis.at(offset + 1) * this.width;
    this.cursor.style.left = `${left}px`;
    this.cursor.style.width = `${Math.max(3, right - left)}px`;
    this.lanes.setAttribute("aria-valuenow", String(offset));
  }

  point(e) {
    const box = this.tracks.send.getBoundingClientRect();
    if (!this.side.total || e.clientX < box.left) return;
    this.touched(this.side.axis.byte((e.clientX - box.left) / box.width));
  }

  key(e) {
    const last = this.side.total - 1, now = Math.max(0, this.chosen);
    const to = {
      ArrowRight: this.chosen < 0 ? 0 : now + 1, ArrowLeft: now - 1, PageDown: now + 16, PageUp: now - 16, Home: 0, End: last, Enter: now, " ": now,
    }[e.key];
    if (to === undefined || last < 0 || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    this.touched(Math.min(last, Math.max(0, to)));
  }
}
