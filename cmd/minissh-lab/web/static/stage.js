// The stage: the prediction before a run; after it the lanes, the steps and the byte.
import { t } from "./words.js";
import { $, page } from "./page.js";
import { el, say, sideName, Lanes } from "./lanes.js";
import { setting } from "./form.js";
import { inspect } from "./inspector.js";
import { Ladders, view } from "./ladder.js";
import * as predict from "./predict.js";

export function renderStage() {
  const run = page.sides.length > 0;
  $("result").hidden = !run;
  $("predict").hidden = run || !page.ready;
  if (page.mode === "recorded" && !run) {
    $("predict").replaceChildren(el("p", { class: "why" }, t("recorded_none")));
    return;
  }
  $("frame-list").hidden = !run || page.mode !== "live";
  if (!page.ready) return;
  if (!run) {
    const line = page.commands.find((c) => c.name === page.command)?.line || "";
    page.questions = page.mode === "live" ? predict.liveQuestions(line) : predict.questions(setting());
    $("predict").replaceChildren(...predict.card(page.questions, page.chosen));
    offer();
    return;
  }
  page.lanes = page.sides.map((side, i) => new Lanes(side, (offset) => touch(i, offset)));
  $("panels").replaceChildren(...page.lanes.map((l) => l.root));
  view();
  page.ladders = new Ladders(page.lanes, (step) => go(step));
  page.watch?.disconnect();
  page.watch = new ResizeObserver(() => { measure(); draw(); });
  page.watch.observe($("panels"));
  $("step").max = String(page.steps.length - 1);
  measure();
  draw();
}

function measure() {
  page.lanes.forEach((l) => l.measure());
  page.ladders.measure();
}

// showAs shows the run in the lanes or as a ladder.
export function showAs(name) {
  view(name);
  if (!page.lanes.length) return;
  measure();
  draw();
}

// offer lets the run begin when each question has an answer.
export function offer() {
  const all = page.questions.every((q) => page.chosen[q.name] !== undefined);
  $("run").disabled = !all || page.running !== null;
  $("run").textContent = t(page.running ? "running" : "run");
  $("choose").hidden = all;
}

export function go(step) {
  page.step = Math.min(page.steps.length - 1, Math.max(0, step));
  draw();
  const i = changed();
  if (i >= 0) $("told").textContent = `${sideName(page.sides[i])}: ${say(page.sides[i].events[page.steps[page.step][i] - 1], page.sides[i])}`;
}

// changed is the side of the step's event, the first if both have one; -1 at the start.
function changed() {
  if (page.step === 0) return -1;
  return page.steps[page.step].findIndex((n, i) => n !== page.steps[page.step - 1][i]);
}

export function draw() {
  if (!page.lanes.length) return;
  const counts = page.steps[page.step];
  page.lanes.forEach((l, i) => {
    l.draw(counts[i]);
    l.root.toggleAttribute("data-now", page.step > 0 && counts[i] !== page.steps[page.step - 1][i]);
  });
  $("step").value = String(page.step);
  $("step").setAttribute("aria-valuetext", t("of", page.step, page.steps.length - 1));
  $("count").textContent = t("of", page.step, page.steps.length - 1);
  $("first").disabled = $("back").disabled = page.step === 0;
  $("next").disabled = $("last").disabled = page.step === page.steps.length - 1;
  $("play").textContent = t(page.timer ? "pause" : "play");
  page.ladders.draw(counts);
  foretold(counts);
  drawFrames(counts);
  drawByte();
}

// foretold compares the predictions with what has been measured so far.
function foretold(counts) {
  if (page.mode === "recorded") return;
  const notes = [];
  for (const q of page.questions) {
    const value = predict.measured(q.name, page.sides, counts), chosen = page.chosen[q.name];
    if (value === null || value === "?") { if (value === "?") notes.push([q.name, "", t("unknown_here")]); continue; }
    const right = predict.hit(q, chosen, value);
    const words = q.options.find(([v]) => String(v) === chosen)?.[1] ?? chosen;
    notes.push([q.name, right ? "good" : "bad", right ? `${t("foretold")} (${value})` : t("not_foretold", words.split(/[：:]/)[0], value)]);
  }
  page.lanes[0].root.querySelector(".foretold")?.remove();
  if (notes.length) page.lanes[0].root.querySelector(page.mode === "live" ? "header" : "footer").append(el("p", { class: "foretold" }, ...notes.map(([name, kind, text]) => el("span", { class: kind, "data-foretold": name }, t("q_" + name) + text))));
}

function drawFrames(counts) {
  if (page.mode !== "live") return;
  const all = page.sides.flatMap((s, i) => s.events.slice(0, counts[i]).filter((e) => e.kind === "frame").map((e) => ({ e, i, s })));
  all.sort((a, b) => a.e.at - b.e.at);
  const rows = all.map(({ e, i, s }) => {
    const f = s.fields.find((x) => x.from >= e.from && x.name === "channel");
    const b = el("button", { type: "button", class: `m${(e.n - 1) % 8}`, "aria-pressed": String(page.byte?.side === i && page.byte.offset >= e.from && page.byte.offset < e.to) },
      el("span", { "aria-hidden": "true" }, s.name === "up" ? "→" : "←"), el("b", {}, e.text), el("span", {}, `ch ${f.value}`), el("span", {}, `${e.to - e.from - 12} B`));
    b.addEventListener("click", () => touch(i, Math.min(e.from + 12, e.to - 1)));
    return el("li", {}, b);
  });
  $("frames").replaceChildren(...rows);
  $("frames").scrollTop = $("frames").scrollHeight;
}

function touch(side, offset) {
  page.byte = { side, offset };
  page.lanes.forEach((l, i) => l.choose(i === side ? offset : -1));
  const told = drawByte();
  page.lanes[side].lanes.setAttribute("aria-valuetext", told);
  if (page.mode === "live") drawFrames(page.steps[page.step]);
}

function drawByte() {
  const b = page.byte, i = b ? b.side : 0;
  return inspect($("inspector"), b && page.sides[i], b ? b.offset : -1, page.steps[page.step][i], (offset) => touch(i, offset));
}
