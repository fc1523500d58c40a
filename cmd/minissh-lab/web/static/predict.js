// The questions before a run, and whether the predictions came true.
import { t } from "./words.js";
import { el } from "./lanes.js";

// questions for a setting: each has a name and options [value, words].
export function questions(setting) {
  const sizes = setting.messages, all = sizes.reduce((a, b) => a + b, 0);
  const first = sizes.find((n) => n > 0) || 0, recv = setting.recv;
  const none = setting.framing === "none";
  const options = new Map();
  const add = (n, words) => { if (n > 0 && !options.has(n)) options.set(n, words); };
  if (first <= recv) add(first, t("first_alone", first));
  else add(recv, t("cut_at", recv));
  add(Math.min(all, recv), all <= recv ? t("all_together", all) : t("cut_at", recv));
  add(1, t("bytes", 1));
  const list = [{ name: "recv", text: t(none ? "ask_recv_nagle" : "ask_recv", recv), options: [...options, ["other", t("other")]] }];
  const calls = sizes.length;
  const counts = [...new Set([1, 2, calls])].sort((a, b) => a - b);
  list.push({ name: "segments", text: t("ask_segments", calls), options: [...counts.map((n) => [n, String(n)]), ["other", t("other")]] });
  return list;
}

export function liveQuestions(line) {
  return [{ name: "frames", text: t("ask_frames", line), options: [["few", t("few")], ["some", t("some")], ["many", t("many")]] }];
}

// measured is what came true, or null while the step does not show it yet.
export function measured(name, sides, counts) {
  const side = sides[0], state = side.state(counts[0]);
  if (name === "recv") return state.recvs.length ? state.recvs[0].to - state.recvs[0].from : null;
  const over = counts.every((n, i) => n === sides[i].events.length);
  if (!over) return null;
  if (name === "segments") return side.segments < 0 ? "?" : side.segments;
  return sides.reduce((sum, s) => sum + s.sent.length, 0);
}

// hit says whether a prediction is what was measured.
export function hit(question, chosen, value) {
  if (question.name === "frames") return chosen === (value <= 2 ? "few" : value <= 6 ? "some" : "many");
  if (chosen === "other") return !question.options.some(([v]) => v === value);
  return Number(chosen) === value;
}

// card is the form's content.
export function card(list, chosen) {
  const fields = list.map((q) => {
    const row = el("div", { class: "options" });
    for (const [value, words] of q.options) {
      const input = el("input", { type: "radio", name: q.name, value: String(value) });
      input.checked = chosen[q.name] === String(value);
      row.append(el("label", { class: "option" }, input, el("span", {}, words)));
    }
    return el("fieldset", {}, el("legend", {}, q.text), row);
  });
  return [
    el("h2", {}, t("predict")), el("p", { class: "why" }, t("predict_why")), ...fields,
    el("p", { class: "go" }, el("button", { type: "submit", class: "primary", id: "run" }, t("run")), el("span", { id: "choose" }, t("choose"))),
  ];
}
