// Why a step is as it is: one sentence, from the events and the state alone.
import { language } from "./words.js";
import { reasons } from "./reasons.js";

const size = (e) => e.to - e.from;
const bare = (side) => ["none", "put_naive"].includes(side.framing);

// over are the sent messages that have bytes among from … to-1, counted from 1; empty ones have none.
function over(side, from, to) {
  return side.sent.map((m, i) => ({ ...m, n: i + 1 })).filter((m) => m.from < to && m.to > from);
}

// met are those of over whose end and next message's beginning lie inside.
export const met = (side, from, to) => over(side, from, to).length > 1;

// why is the reason of the n-th event: {key, args}, of which reasons makes the words. Null at the start.
export function why(side, n) {
  const e = side.events[n - 1];
  if (!e) return null;
  const before = side.state(n - 1), now = side.state(n);
  const by = { send, block, segment, buffer, recv, message, ack, close, frame }[e.kind];
  const [key, args = {}] = by(side, e, before, now, n);
  return { key, args };
}

// because is it in words.
export function because(side, n) {
  const w = why(side, n);
  return w ? reasons[w.key](w.args)[language() === "zh" ? 0 : 1] : "";
}

function send(side, e, before) {
  const field = size(e) ? side.fieldAt(e.from) : null, m = over(side, e.from, e.to)[0];
  if (side.recorded) return [side.guessed ? "send_guessed" : "send_seen", { k: size(e) }];
  if (side.live) return ["send_live", { k: size(e), wire: e.wire, frames: over(side, e.from, e.to).length }];
  if (!size(e)) return [bare(side) ? "send_empty" : "send_empty_told"];
  if (e.since) return ["send_waited", { k: size(e) }];
  if (e.held && nagle(side, e) && before.left > 0) return ["send_held", { held: e.held }];
  if (e.held) return ["send_kept", { held: e.held }];
  switch (field?.name) {
    case "length": case "header_length": case "digits": return ["send_" + field.name, { n: field.value }];
    case "json": return ["send_json", { k: size(e) }];
    case "frame_length": return ["send_frame", { n: field.value, k: size(e) }];
    case "command": if (bare(side)) return ["send_command", { k: size(e) }];
  }
  if (side.framing === "fixed") return ["send_fixed", { k: size(e), pad: size(e) - side.sent[e.n - 1].size }];
  if (side.framing === "delimiter") return ["send_delimiter"];
  if (!bare(side)) return ["send_data", { n: m.n, k: size(e) }];
  return before.sent > before.read ? ["send_after", { n: m.n, unread: before.sent - before.read }] : ["send_first", { n: m.n, k: size(e) }];
}

// nagle says whether only Nagle can be what holds these bytes back: no window was full.
function nagle(side, e) {
  return !side.nodelay && e.held < 1000 && !side.events.some((x) => x.kind === "block") && !(side.acks ?? []).some((a) => a.window === 0);
}

function block(side, e) { return ["block", { took: size(e), of: e.ask }]; }

function segment(side, e, _, now) {
  if (!size(e)) return ["again"];
  if (e.count > 1) return ["segments", { n: e.count }];
  if (side.recorded) return ["segment_recorded", { k: size(e) }];
  const sends = side.events.filter((s) => s.kind === "send" && size(s) > 0 && s.from < e.to && s.to > e.from);
  if (sends.length > 1) return ["segment_joined", { sends: sends.length, k: size(e) }];
  if (sends.length === 1 && size(sends[0]) > size(e)) return ["segment_part", { send: sends[0].n, k: size(e), of: size(sends[0]) }];
  if (now.held) return [nagle(side, { held: now.held }) ? "segment_held" : "segment_kept", { held: now.held }];
  return ["segment_one", { k: size(e) }];
}

function buffer(side, e, before) {
  const there = over(side, e.from, e.to), first = there[0], last = there.at(-1);
  if (side.live) return ["buffer_live", { k: size(e) }];
  if (there.length > 1) {
    const args = { k: size(e), a: first.n, b: last.n };
    if (bare(side)) return [before.recvs.length ? "met_more" : "met", args];
    return ["met_" + (["fixed", "delimiter"].includes(side.framing) ? side.framing : "told"), args];
  }
  if (!first) return ["buffer", { k: size(e) }];
  if (e.from > first.from && bare(side)) return ["buffer_rest", { k: size(e), n: first.n }];
  return e.to < last.to ? ["buffer_part", { k: size(e), n: last.n, missing: last.to - e.to }] : ["buffer_whole", { k: size(e), n: first.n }];
}

function recv(side, e, before, now, n) {
  if (side.recorded) return [size(e) ? "recv_seen" : "recv_end"];
  if (!size(e)) return ["recv_end"];
  const there = over(side, e.from, e.to), first = there[0], last = there.at(-1), left = now.buffer[1] - now.buffer[0]; // still there
  if (side.live) return ["recv_live", { k: size(e), frames: there.length }];
  const args = { k: size(e), ask: e.ask, a: first.n, b: last.n, n: first.n, left };
  if (bare(side)) {
    const starts = e.from === first.from, ends = e.to === last.to;
    args.cut = last.to - e.to;
    if (there.length > 1) return [starts ? ends ? "stuck" : "stuck_cut" : "stuck_rest", { ...args, rest: first.to - e.from, end: ends ? 0 : last.n }];
    if (starts && ends) return [size(e) === e.ask ? "whole_full" : "whole", args];
    if (starts) return [size(e) === e.ask ? "cut_full" : "cut_short", args];
    return [ends ? "rest" : "rest_cut", args];
  }
  const after = side.events.slice(n), stop = after.findIndex((x) => x.kind !== "message"), got = stop < 0 ? after.length : stop;
  if (side.framing === "delimiter") return [got ? "delimiter_found" : "delimiter_none", { ...args, n: got }];
  if (side.framing === "fixed") {
    const width = side.sent[0].to - side.sent[0].from, have = e.to - first.from;
    return [have === width ? "fixed_full" : "fixed_part", { ...args, have, width }];
  }
  const short = (x) => x.kind === "recv" && side.fieldAt(x.from)?.name === "digits" && x.to < side.fieldAt(x.from).to;
  if (side.events.slice(0, n).some(short)) return ["recv_lost", args];
  return part(side, e, first, args);
}

// part is what a program that knows how much is to come has got of it.
function part(side, e, m, args) {
  const f = side.fieldAt(e.from), data = side.fields.find((x) => x.from >= m.from && ["data", "command"].includes(x.name));
  if (side.framing === "minissh" && f.name !== "data") {
    const head = m.from + 12;
    return e.to < head ? ["part_more", { ...args, missing: head - e.to }] : ["part_frame", { ...args, n: side.fieldAt(m.from).value }];
  }
  if (e.to < f.to) return ["part_more", { ...args, missing: f.to - e.to }];
  if (f.name === "json") return ["part_json", { ...args, n: data?.from === f.to ? data.to - data.from : 0 }];
  return ["part_" + f.name, { ...args, n: f.value }];
}

function message(side, e) {
  const there = over(side, e.from, e.to), first = there[0], last = there.at(-1), m = side.got[e.n - 1];
  const same = there.length === 1 && first.from === e.from && first.to === e.to;
  const args = { n: e.n, a: first?.n, b: last?.n, k: size(e) };
  if (bare(side)) {
    if (there.length > 1) return ["took_stuck", args];
    return [same ? "took_luck" : "took_piece", { ...args, of: size(first) }];
  }
  const exact = same && first.text === m.text && first.size === m.size;
  args.k = m.size;
  if (side.framing === "delimiter") return [exact ? "took_delimiter" : "took_inside", args];
  if (!exact) return ["took_wrong", args];
  return [side.framing === "fixed" ? "took_fixed" : "took_told", args];
}

function ack(side, e) { return [side.latency ? "ack_far" : "ack", { n: e.n, ms: 2 * side.latency }]; }

function close(side, e, before) {
  const unread = before.sent - before.read;
  return unread > 0 && !side.recorded ? ["close_unread", { k: unread }] : ["close"];
}

function frame(side, e) { return ["frame", { k: size(e) - 12, name: e.text }]; }
