// What a trace says, worked out without a page: the axis, the state after a number of
// steps, and the story of one byte.

// LINEAR is how many bytes are drawn at one scale, each with its character.
export const LINEAR = 64;

export function decode(base64) {
  const text = atob(base64 || "");
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

// Side is one trace with what is needed to draw it.
export class Side {
  constructor(trace) {
    Object.assign(this, trace);
    this.data = decode(trace.bytes);
    this.total = this.data.length;
    this.live = trace.framing === "tls";
    this.recorded = trace.framing === "recorded"; // of programs that are not the lab's own
    this.judged = !this.live && !this.recorded; // it is known what the receiver took for messages
    for (const e of this.events) if (e.kind === "frame") e.text = this.sent[e.n - 1].text;
    this.axis = axis(this);
  }

  // messageAt is the message (or frame) that a byte was sent in.
  messageAt(offset) { return this.sent.findIndex((m) => offset >= m.from && offset < m.to); }
  fieldAt(offset) { return this.fields.find((f) => offset >= f.from && offset < f.to); }

  // state is what has happened after the first n events.
  state(n) {
    const s = { sends: [], segments: [], recvs: [], frames: [], took: 0, acks: 0, read: 0, buffer: [0, 0], held: 0, sent: 0, left: 0, now: null };
    for (const e of this.events.slice(0, n)) {
      s.now = e;
      switch (e.kind) {
        case "send": s.sends.push(e); s.sent = e.to; s.held = e.held || 0; break;
        case "segment": s.segments.push(e); s.left = Math.max(s.left, e.to); s.held = e.held || 0; break;
        case "buffer": s.buffer = [e.from, e.to]; break;
        case "recv": s.recvs.push(e); s.read = e.to; s.buffer = [e.to, Math.max(e.to, s.buffer[1])]; break;
        case "message": s.took++; break;
        case "ack": s.acks++; break;
        case "frame": s.frames.push(e); break;
      }
    }
    return s;
  }

  // marks are the places where messages met, stuck or were cut in the first n events: {at, kind, n},
  // in the order of the stream. They last: what one recv returned together stuck; what lay in the
  // buffer together met; a message was cut where a program took a part of it for a whole.
  marks(n) {
    if (!this.judged) return [];
    const bare = ["none", "put_naive"].includes(this.framing), marks = new Map();
    const mark = (at, kind, n) => { if (kind !== "met" || !marks.has(at)) marks.set(at, { at, kind, n }); };
    const inside = (e, kind) => { for (const m of this.sent) if (m.to > e.from && m.to < e.to) mark(m.to, kind, e.n); };
    for (const e of this.events.slice(0, n)) {
      if (e.kind === "buffer") inside(e, "met");
      if (e.kind === "recv" && bare) inside(e, "stuck");
      const whole = e.kind === (bare ? "recv" : "message") && e.to > e.from;
      if (whole && this.sent.some((m) => m.from < e.to && e.to < m.to)) mark(e.to, "cut", e.n);
    }
    return [...marks.values()].sort((a, b) => a.at - b.at);
  }

  // story is all that is known about one byte after the first n events.
  story(offset, n) {
    const inside = (e) => offset >= e.from && offset < e.to;
    const s = this.state(n);
    return {
      value: this.data[offset], field: this.fieldAt(offset), message: this.messageAt(offset),
      send: s.sends.find(inside), segment: s.segments.find(inside), recv: s.recvs.find(inside),
      held: s.held > 0 && offset >= s.left && offset < s.sent,
      took: this.got.slice(0, s.took).findIndex(inside),
    };
  }

  // character is the UTF-8 character that a byte belongs to, and its place in it; null
  // where the bytes are not text.
  character(offset) {
    let from = offset;
    while (from > 0 && offset - from < 3 && (this.data[from] & 0xc0) === 0x80) from--;
    const first = this.data[from];
    const n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
    if (!n || offset >= from + n || from + n > this.total) return null;
    try {
      const c = new TextDecoder("utf-8", { fatal: true }).decode(this.data.subarray(from, from + n));
      return { c: show(c), index: offset - from + 1, n };
    } catch { return null; }
  }
}

// show makes a character visible.
export function show(c) {
  const names = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", " ": "␣" };
  if (names[c]) return names[c];
  const code = c.codePointAt(0);
  return code < 32 || code === 127 ? "\\x" + code.toString(16).padStart(2, "0") : c;
}

// glyph is one byte as a short text: its ASCII character, or its two hex digits.
export function glyph(b) {
  return b > 32 && b < 127 ? String.fromCharCode(b) : b === 32 ? "␣" : hex(b);
}
export function hex(b) { return b.toString(16).padStart(2, "0"); }

// axis places the stream on a line from 0 to 1. Few bytes are at one scale. Of many,
// each stretch between two boundaries gets room by the logarithm of its length, so that
// four bytes of length stay visible beside three thousand of data.
function axis(side) {
  const total = side.total;
  if (total <= LINEAR) {
    const n = Math.max(total, 1);
    return { linear: true, at: (b) => b / n, byte: (x) => Math.min(Math.max(total - 1, 0), Math.max(0, Math.floor(x * n))) };
  }
  const cuts = new Set([0, total]);
  for (const x of [...side.events, ...side.fields, ...side.sent]) { cuts.add(x.from); cuts.add(x.to); }
  const places = [...cuts].sort((a, b) => a - b);
  const weights = [0];
  for (let i = 1; i < places.length; i++) weights.push(weights[i - 1] + 2 + Math.log2(places[i] - places[i - 1] + 1));
  const whole = weights[weights.length - 1];
  const part = (list, v) => {
    let i = 1;
    while (i < list.length - 1 && v > list[i]) i++;
    return i;
  };
  const move = (from, to) => (v) => {
    const i = part(from, v);
    return to[i - 1] + ((v - from[i - 1]) / (from[i] - from[i - 1])) * (to[i] - to[i - 1]);
  };
  const there = move(places, weights), back = move(weights, places);
  return { linear: false, at: (b) => there(b) / whole, byte: (x) => Math.min(total - 1, Math.max(0, Math.floor(back(x * whole)))) };
}

// steps are the moments that the page stops at: for each, how many events of each side
// have happened. Sides of one clock are merged by it; others go side by side.
export function steps(sides, oneClock) {
  if (!oneClock) {
    const most = Math.max(...sides.map((s) => s.events.length));
    return Array.from({ length: most + 1 }, (_, i) => sides.map((s) => Math.min(i, s.events.length)));
  }
  const all = sides.flatMap((s, i) => s.events.map((e, k) => ({ at: e.at, i, k })));
  all.sort((a, b) => a.at - b.at || a.i - b.i || a.k - b.k);
  const counts = sides.map(() => 0);
  return [[...counts], ...all.map((e) => { counts[e.i] = e.k + 1; return [...counts]; })];
}

// time is a moment of the run, in milliseconds with as many digits as mean something.
export function time(us) {
  const ms = us / 1000;
  return (ms < 10 ? ms.toFixed(2) : ms.toFixed(1)) + " ms";
}
