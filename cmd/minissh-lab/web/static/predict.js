// The questions before a run, and whether the predictions came true.
import { t, language } from "./words.js";
import { el } from "./lanes.js";

// A question has a name, which says what is measured, a text, and options {value, words, answer}.
// The answer is for who believed it and was wrong.

// questions are those of a lesson, or else of what its setting does.
export function questions(setting, preset) {
  const say = (zh, en) => (language() === "zh" ? zh : en);
  if (preset?.ask) {
    return preset.ask.map((q) => ({ name: q.name, text: say(q.zh, q.en),
      options: [...q.options.map((o) => ({ value: o.value, words: say(o.zh, o.en), answer: say(o.answer_zh, o.answer_en) })), other("none_of_these")] }));
  }
  const sizes = setting.messages, all = sizes.reduce((a, b) => a + b, 0);
  const first = sizes.find((n) => n > 0) || 0, { recv } = setting;
  const options = new Map();
  const add = (n, words, answer) => { if (n > 0 && !options.has(String(n))) options.set(String(n), { value: String(n), words, answer }); };
  if (first <= recv) add(first, t("first_alone", first), t("no_first_alone"));
  else add(recv, t("cut_at", recv), t("no_cut_at", recv));
  add(Math.min(all, recv), all <= recv ? t("all_together", all) : t("cut_at", recv), all <= recv ? t("no_all_together") : t("no_cut_at", recv));
  add(1, t("bytes", 1), t("no_single"));
  const calls = sizes.length, counts = [...new Set([1, 2, calls])].sort((a, b) => a - b);
  const wrong = (n) => (n === 1 ? t("no_one_segment") : n === calls ? t("no_segment_each") : t("no_two_segments"));
  return [
    { name: "recv", text: t(setting.framing === "none" ? "ask_recv_nagle" : "ask_recv", recv), options: [...options.values(), other()] },
    { name: "segments", text: t("ask_segments", calls), options: [...counts.map((n) => ({ value: String(n), words: String(n), answer: wrong(n) })), other()] },
  ];
}

const other = (word = "other") => ({ value: "other", words: t(word), answer: "" });

export function liveQuestions(line) {
  const options = ["few", "some", "many"].map((v) => ({ value: v, words: t(v), answer: t("no_" + v) }));
  return [{ name: "frames", text: t("ask_frames", line), options }];
}

const size = (e) => e.to - e.from;
const reads = (side, n = side.events.length) => side.state(n).recvs.filter(size);
const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join(" ");
const head = ([, side], counts) => (side.state(counts[1]).sent >= 4 ? side.data.subarray(0, 4) : null);

// early are measured as soon as a step shows them; the others when the run is over. Each gives a
// text, "?" where the system does not tell, or null while it is not known.
const early = {
  recv: (sides, [n]) => { const r = sides[0].state(n).recvs; return r.length ? String(size(r[0])) : null; },
  // what comes where an empty message was sent: nothing, an end, or a byte too many
  empty: (sides, [n]) => { const r = sides[0].state(n).recvs; return !r.length ? null : size(r[0]) === 0 ? "end" : size(r[0]) > sides[0].total ? "mark" : "nothing"; },
  second: ([side], [n]) => {
    const r = reads(side, n)[1], [big] = side.sent;
    return !r ? null : r.from >= big.to ? "pwd" : "leftover";
  },
  where: ([side], [n]) => { const i = reads(side, n).findIndex((r) => r.to === side.total); return i < 0 ? null : String(i + 1); },
  hex: (sides, counts) => { const b = head(sides, counts); return b && hex(b); },
  swapped: (sides, counts) => { const b = head(sides, counts); return b && String(new DataView(b.slice().buffer).getInt32(0, false)); },
  header: (sides, counts) => head(sides, counts) && sides[1].fields[0].name,
  characters: ([side], [n]) => {
    const r = reads(side, n)[0];
    return r ? String([...new TextDecoder().decode(side.data.subarray(r.from, r.to))].filter((c) => c !== "\ufffd").length) : null;
  },
  holds: ([side], [n]) => {
    const r = reads(side, n)[0];
    return r ? side.fields.filter((f) => f.from < r.to).map((f) => f.name).join(" ") : null;
  },
  exact: ([, side], [, n]) => { const r = reads(side, n)[0]; return r ? String(size(r)) : null; },
};
const late = {
  segments: ([side]) => (side.segments < 0 ? "?" : String(side.segments)),
  frames: (sides) => { const n = sides.reduce((sum, s) => sum + s.sent.length, 0); return n <= 2 ? "few" : n <= 6 ? "some" : "many"; },
  reads: ([side]) => String(reads(side).length),
  pair: ([side]) => (side.segments < 0 ? "?" : `${side.segments} ${reads(side).length}`),
  once: (sides) => { const [a, b] = sides.map((s) => reads(s).length === 1); return a && b ? "both" : a ? "nagle" : b ? "nodelay" : "neither"; },
  each: ([, side]) => (side.segments < 0 ? "?" : String(side.segments)),
  taken: ([side]) => (side.events.some((e) => e.kind === "block" && size(e) > 0) ? "part" : side.segments < 0 ? "?" : "all"),
  got: ([, side]) => (side.got.length > side.sent.length ? "more" : side.got.length < side.sent.length ? "fewer" : "same"),
  acks: ([, side]) => String(side.state(side.events.length).acks),
};

// measured is what came true, or null while the step does not show it yet.
export function measured(name, sides, counts) {
  if (early[name]) return early[name](sides, counts);
  return counts.every((n, i) => n === sides[i].events.length) ? late[name](sides) : null;
}

// hit says whether a prediction is what was measured.
export function hit(question, chosen, value) {
  return chosen === "other" ? !question.options.some((o) => o.value === value) : chosen === value;
}

// told are the predictions that this step can judge, right or wrong, each with its answer.
export function told(list, chosen, sides, counts) {
  return list.flatMap((q) => {
    const value = measured(q.name, sides, counts);
    if (value === null) return [];
    const brief = (v) => (q.options.find((o) => o.value === v)?.words ?? v).split(/[：:]/)[0];
    if (value === "?") return [el("p", { class: "guess", "data-foretold": q.name }, t("unknown_here"))];
    const right = hit(q, chosen[q.name], value), answer = q.options.find((o) => o.value === chosen[q.name])?.answer;
    return [el("div", { class: "guess " + (right ? "hit" : "miss"), "data-foretold": q.name, title: q.text },
      el("p", {}, el("b", {}, right ? t("guess_hit") : t("guess_miss")), right ? brief(value) : t("guess_was", brief(chosen[q.name]), brief(value))),
      !right && answer ? el("p", { class: "answer" }, answer) : null)];
  });
}

// card is the form's content.
export function card(list, chosen) {
  const fields = list.map((q) => {
    const row = el("div", { class: "options" });
    for (const { value, words } of q.options) {
      const input = el("input", { type: "radio", name: q.name, value });
      input.checked = chosen[q.name] === value;
      row.append(el("label", { class: "option" }, input, el("span", {}, words)));
    }
    return el("fieldset", {}, el("legend", {}, q.text), row);
  });
  return [
    el("h2", {}, t("predict")), el("p", { class: "why" }, t("predict_why")), ...fields,
    el("p", { class: "go" }, el("button", { type: "submit", class: "primary", id: "run" }, t("run")), el("span", { id: "choose" }, t("choose"))),
  ];
}
