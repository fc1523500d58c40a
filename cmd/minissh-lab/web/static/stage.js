// The stage: the prediction before a run; after it the lanes, the steps and the byte.
import { t } from "./words.js";
import { $, page } from "./page.js";
import { el, say, sideName, Lanes } from "./lanes.js";
import { setting } from "./form.js";
import { because } from "./why.js";
import { Listing } from "./listing.js";
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
  $("story").hidden = !run || page.mode === "recorded";
  document.body.toggleAttribute("data-run", run);
  $("frame-list").hidden = !run || page.mode !== "live";
  if (!page.ready) return;
  if (!run) {
    const line = page.commands.find((c) => c.name === page.command)?.line || "";
    page.questions = page.mode === "live" ? predict.liveQuestions(line) : predict.questions(setting(), page.presets.find((p) => p.name === page.preset));
    $("predict").replaceChildren(...predict.card(page.questions, page.chosen));
    offer();
    return;
  }
  page.lanes = page.sides.map((side, i) => new Lanes(side, (offset) => touch(i, offset)));
  $("panels").replaceChildren(...page.lanes.map((l) => l.root));
  view();
  page.ladders = new Ladders(page.lanes, (step) => go(step));
  page.byte ??= telling();
  if (page.byte) page.lanes[page.byte.side].chosen = page.byte.offset;
  tellSetting();
  buildCode();
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

// telling is the byte that is looked at first: the one after the first boundary, or the first of all.
function telling() {
  const side = page.sides.findIndex((s) => s.total > 0);
  if (side < 0) return null;
  const { sent, total } = page.sides[side], boundary = sent[0]?.to ?? 0;
  return { side, offset: page.mode === "lab" && boundary < total ? boundary : 0 };
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
  if (i >= 0 && !page.timer) $("told").textContent = `${sideName(page.sides[i])}: ${say(page.sides[i].events[page.steps[page.step][i] - 1], page.sides[i])}. ${because(page.sides[i], page.steps[page.step][i])}`;
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
  drawCode(counts);
  drawFrames(counts);
  drawByte();
}

// tellSetting is what ran, in a line, while its form is put away.
function tellSetting() {
  const s = setting(), says = [`recv(${s.recv})`];
  for (const id of ["gap", "delay", "latency"]) if (s[id]) says.push(`${t(id)} ${s[id]} ms`);
  $("setting").firstElementChild.textContent = says.join(" · ");
}

// buildCode makes the listing of each side, and the buttons to choose one.
function buildCode() {
  $("code").hidden = !page.listings.length;
  page.code = page.listings.map((l, i) => new Listing(l, page.sides[i]));
  $("code").firstElementChild.replaceChildren(...page.code.map((c, i) => {
    const b = el("button", { type: "button" }, `${page.lanes[i].mark} ${t("which_" + page.sides[i].name)}`);
    b.addEventListener("click", () => { page.whose = i; draw(); });
    return b;
  }));
}

// drawCode shows one side's programs: the chosen one's, else the first's until it is at its end.
function drawCode(counts) {
  if (!page.code.length) return;
  const over = counts[0] === page.sides[0].events.length && page.step < page.steps.length - 1;
  const i = page.whose ?? (over && page.steps[page.step - 1]?.[0] === counts[0] ? 1 : 0), { root } = page.code[i];
  if ($("programs").firstElementChild !== root) $("programs").replaceChildren(root);
  [...$("code").firstElementChild.children].forEach((b, k) => b.setAttribute("aria-pressed", String(k === i)));
  page.code[i].draw(counts[i]);
}

// foretold compares the predictions with what has been measured so far.
function foretold(counts) {
  const told = page.mode === "recorded" ? [] : predict.told(page.questions, page.chosen, page.sides, counts);
  if ($("foretold").textContent !== told.map((e) => e.textContent).join("")) $("foretold").replaceChildren(...told);
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
