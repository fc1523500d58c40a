// The story of one byte.
import { t, language } from "./words.js";
import { el } from "./lanes.js";
import { glyph, hex, show, time } from "./model.js";

const around = 24; // bytes of the strip

// inspect fills the place with what is known about a byte after n events of its side.
// move(offset) chooses another byte.
export function inspect(place, side, offset, n, move) {
  if (!side || offset < 0) {
    place.replaceChildren(el("p", { class: "hint" }, t("touch")));
    return "";
  }
  const story = side.story(offset, n);
  const b = story.value, bits = b.toString(2).padStart(8, "0");
  const c = side.character(offset);
  const facts = [
    ["i_field", story.field ? t("f_" + story.field.name) + bytesOf(side, story.field) : "", "field"],
    ["i_value", valueOf(story.field), "value"],
    [side.live ? "i_frame" : "i_message", side.live ? t("frame_n", story.message + 1, side.sent.length, side.sent[story.message].text) : t("message_n", story.message + 1, side.sent.length), "message"],
    ["i_send", sendOf(story, offset) + (side.guessed ? t("guessed") : ""), "send"],
    ["i_segment", segmentOf(side, story, offset), "segment"],
    ["i_recv", side.recorded && !side.seen ? t("unseen_here") : recvOf(story, offset), "recv"],
  ];
  if (side.judged) facts.splice(3, 0, ["i_took", story.took >= 0 ? t("took_n", story.took + 1, brief(side.got[story.took].text)) : story.recv ? t("left_over") : t("not_yet"), "took"]);
  const list = el("dl", { class: "facts" });
  for (const [name, text, key] of facts) {
    list.append(el("div", { class: "fact fact-" + key }, el("dt", {}, t(name)), el("dd", { "data-fact": key }, text)));
  }
  const head = el("div", { class: "byte" },
    el("p", { class: "where" }, t("i_byte", offset + 1, side.total)),
    el("p", { class: `big m${Math.max(0, story.message) % 8}`, "data-fact": "hex" }, hex(b)),
    el("p", { class: "forms" }, `${b} · ${bits}`, c ? el("span", { class: "char" }, c.n > 1 ? t("character", c.c, c.index, c.n) : `“${c.c}”`) : null));
  place.replaceChildren(head, el("div", { class: "rest" }, strip(side, offset, move), list));
  return `${t("i_byte", offset + 1, side.total)}: ${show(String.fromCharCode(b))} ${hex(b)}; ` + facts.map(([name, text]) => `${t(name)} ${text}`).join("; ");
}

// bytesOf shows a short number's bytes.
function bytesOf(side, f) {
  const n = f.to - f.from;
  return n <= 8 && f.endian ? "  " + [...side.data.subarray(f.from, f.to)].map(hex).join(" ") : "";
}

const brief = (text) => (text.length > 12 ? text.slice(0, 9) + "…" : text);

function valueOf(f) {
  if (!f) return "";
  if (f.to - f.from === 1) return `${f.value} (${t("whole")})`;
  const endian = f.endian && f.to - f.from > 1 ? ` (${t(f.endian)})` : "";
  return f.value + endian;
}

function sendOf(story, offset) {
  const e = story.send;
  if (!e) return t("not_yet");
  return t("call_range", e.n, offset - e.from + 1, e.to - e.from, time(e.at)) + (e.wire ? t("wire_note", e.wire) : "");
}

function segmentOf(side, story, offset) {
  const e = story.segment;
  if (side.segments < 0) return t(side.recorded ? "segments_unknown" : "unknown_here");
  if (side.recorded && !e && story.send) return t("segments_unknown");
  if (!e) return story.held ? t("held", "") : t("not_yet");
  if (e.count > 1) return t("one_of", e.count, e.n, e.n + e.count - 1);
  return t("call_range", e.n, offset - e.from + 1, e.to - e.from, t("seen_between", time(e.since || 0).replace(" ms", ""), time(e.at)));
}

function recvOf(story, offset) {
  const e = story.recv;
  return e ? t("at_call", e.n, e.ask, offset - e.from + 1, e.to - e.from, time(e.at)) : t("not_yet");
}

// strip are the bytes around the chosen one, to touch where the lanes are too fine.
function strip(side, offset, move) {
  const row = el("div", { class: "strip", lang: language() });
  const from = Math.max(0, Math.min(offset - around / 2, side.total - around));
  for (let i = from; i < Math.min(side.total, from + around); i++) {
    const m = side.messageAt(i);
    const cell = el("button", { type: "button", tabindex: "-1", class: `cell m${Math.max(0, m) % 8}`, "data-offset": i, "aria-current": i === offset ? "true" : null, "aria-label": t("i_byte", i + 1, side.total) },
      el("span", {}, hex(side.data[i])), el("span", { class: "glyph" }, side.data[i] >= 32 && side.data[i] < 127 ? glyph(side.data[i]) : "·"));
    cell.addEventListener("click", () => move(i));
    row.append(cell);
  }
  return row;
}
