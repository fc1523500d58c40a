// The page: controls, run, and what they change. The lanes and the steps are the stage's.
import { t, words, language } from "./words.js";
import { $, page } from "./page.js";
import { ask } from "./api.js";
import { Side, steps } from "./model.js";
import { el } from "./lanes.js";
import { setting, show, fillSelect } from "./form.js";
import { renderStage, offer, go, showAs } from "./stage.js";
import { play, show as playRun, stop } from "./player.js";
import * as link from "./link.js";
import * as time from "./ladder.js";
import { saved, menu } from "./export.js";

// ---- controls

// choosePreset sets the controls to a lesson's.
function choosePreset(name) {
  const p = page.presets.find((x) => x.name === name);
  if (!p) return;
  page.preset = name;
  time.view(p.view || "lanes");
  if (p.live) { page.command = p.live; mode("live"); } else { show(p.setting); mode("lab"); }
}

function mode(name) {
  page.mode = name;
  reset();
  if (name === "recorded") recorded();
}

// ---- a recorded run of one's own programs: nothing is predicted, and nothing is run

// recorded asks for it, and again while it grows.
async function recorded() {
  const abort = new AbortController();
  page.running = abort;
  let result;
  try { result = await ask("recorded"); } catch (p) { page.problem = p; }
  if (abort.signal.aborted) return;
  page.running = null;
  if (result) {
    page.runs = result.runs;
    showConnection(page.step === page.steps.length - 1);
    clearTimeout(page.poll);
    if (result.grows) page.poll = setTimeout(() => { if (page.mode === "recorded" && !page.running) recorded(); }, 1000);
  }
  renderProblem();
}

// showConnection draws the chosen one of each run, at its end or where it was.
function showConnection(atEnd) {
  const chosen = page.runs.map((r) => r.connections[page.connection]).filter(Boolean);
  const sides = page.runs.flatMap((r) => (r.connections[page.connection]?.sides ?? []).map((s) => new Side({ ...s, title: page.runs.length > 1 ? r.title : "" })));
  const before = page.sides.map((s) => s.events.length).join(), now = sides.map((s) => s.events.length).join();
  const most = Math.max(0, ...page.runs.map((r) => r.connections.length));
  $("connection").parentElement.hidden = !most;
  fillSelect($("connection"), Array.from({ length: most }, (_, i) => [String(i), t("connection_n", i + 1)]), String(page.connection));
  const guessed = sides.some((s) => s.guessed && s.events.some((e) => e.kind === "send"));
  $("recorded-help").dataset.t = guessed || !sides.length ? "recorded_help" : "recorded_traced";
  write($("recorded-help"));
  $("recorded-more").hidden = !chosen.some((c) => c.more) && !page.runs.some((r) => r.more);
  if (before === now && page.lanes.length) return;
  page.sides = sides;
  page.steps = steps(sides, true);
  page.step = atEnd ? page.steps.length - 1 : Math.min(page.step, page.steps.length - 1);
  renderStage();
}

// reset goes back to the prediction.
function reset() {
  stop();
  page.running?.abort();
  page.running = null;
  Object.assign(page, { sides: [], lanes: [], steps: [[0, 0]], step: 0, byte: null, chosen: {}, problem: null, listings: [], code: [], whose: null });
  $("panels").replaceChildren();
  page.watch?.disconnect();
  address();
  render();
}

// address keeps the link to this setting in the address line, without a token.
function address() {
  let hash = page.mode === "recorded" ? "#recorded=1" : page.mode === "live" ? `#live=${page.command}` : link.write(setting());
  if (page.preset) hash = `#at=${page.preset}`;
  if (page.ready && location.hash !== hash) history.replaceState(null, "", hash);
}

// ---- drawing all that depends on language, theme and mode

// write gives an element its words. An option of the command line is not broken after its dashes.
function write(e) {
  e.replaceChildren(...t(e.dataset.t).split(/(--\w+)/).map((w) => w.startsWith("--") ? el("span", { class: "word" }, w) : w));
}

function render() {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  document.title = `${t("title")} · minissh-lab`;
  document.querySelectorAll("[data-t]").forEach(write);
  for (const e of document.querySelectorAll("[data-label]")) { e.setAttribute("aria-label", t(e.dataset.label)); if (e.tagName === "BUTTON") e.title = t(e.dataset.label); }
  $("lang").textContent = language() === "zh" ? "English" : "中文";
  $("lang").lang = language() === "zh" ? "en" : "zh-CN";
  const dark = document.documentElement.dataset.theme === "dark";
  $("theme").textContent = t(dark ? "theme_light" : "theme_dark");
  const live = page.mode === "live", own = page.mode === "recorded";
  $("mode-lab").setAttribute("aria-pressed", String(!live && !own));
  $("mode-recorded").setAttribute("aria-pressed", String(own));
  $("mode-recorded").hidden = !page.recorded;
  $("recorded-form").hidden = !own;
  $("share").hidden = $("again").hidden = own; // it is nobody else's
  $("mode-live").setAttribute("aria-pressed", String(live));
  document.body.dataset.mode = page.mode;
  $("lab-form").hidden = live || own;
  $("live-form").hidden = !live;
  fillSelect($("preset"), [["", t("own_setting")], ...page.presets.map((p) => [p.name, `${p.name}  ${language() === "zh" ? p.zh : p.en}`])], page.preset);
  for (const name of ["framing", "text"]) fillSelect($(name), Object.keys(words).filter((w) => w.startsWith(name + "_")).map((w) => [w.slice(name.length + 1), t(w)]), $(name).value);
  fillSelect($("buffers"), time.buffers(), $("buffers").value);
  time.latency();
  menu();
  $("nodelay").disabled = $("framing").value === "none"; // then both are run
  $("framing-help").textContent = t("help_" + $("framing").value);
  $("commands").replaceChildren(...page.commands.map((c) => {
    const input = el("input", { type: "radio", name: "command", value: c.name });
    input.checked = c.name === page.command;
    return el("label", { class: "option" }, input, el("code", { title: c.line }, c.line));
  }));
  renderProblem();
  if (own && page.runs.length) showConnection(false);
  renderStage();
}

function renderProblem() {
  const p = page.problem;
  $("problem").hidden = !p;
  if (!p) return;
  const said = p.code === "token" ? t("p_token") : p.code === "busy" ? t("p_busy") : p.code === "gone" ? t("p_gone") : t(p.code === "setting" || p.code === "body" ? "p_setting" : "p_run") + p.error;
  $("problem").replaceChildren(said);
  if (p.code === "token") $("problem").append(el("code", { class: "type-this" }, typeThis()));
}

// typeThis is the command line that opens this setting in one's own lab.
function typeThis() {
  const at = location.hash.replace(/^#/, "").replace(/(^|&)token=[^&]*/, "").replace(/^at=/, "");
  return "minissh-lab web --open" + (/^[\w=&*,.-]+$/.test(at) ? ` --at '${at}'` : "");
}



// ---- run

async function run() {
  const abort = new AbortController();
  page.running = abort;
  page.problem = null;
  renderProblem();
  offer();
  let result;
  try {
    result = page.mode === "live" ? await ask("live", { command: page.command }) : await ask("run", setting());
  } catch (p) {
    page.problem = p.code ? p : { code: "run", error: String(p) };
  }
  if (abort.signal.aborted) return; // the setting was changed meanwhile
  page.running = null;
  if (result) {
    page.ran = result.setting;
    page.listings = result.listings ?? [];
    take(result.sides);
  }
  renderProblem();
  renderStage();
  if (result) { $("next").focus({ preventScroll: true }); playRun(); }
}

// take takes a run: it is at its beginning.
function take(traces) {
  page.raw = traces;
  page.sides = traces.map((s) => new Side(s));
  page.steps = steps(page.sides, page.mode === "live");
  page.step = 0;
  page.byte = null;
}

// replay shows the run of a page that was taken along: nothing can be set, asked or run.
function replay() {
  Object.assign(page, { mode: saved.mode, ready: true, view: saved.view, commands: saved.commands, command: saved.command || "", recorded: saved.mode === "recorded", runs: saved.runs || [], ran: saved.setting });
  document.body.dataset.replay = "";
  if (saved.setting) show(saved.setting);
  for (const e of document.querySelectorAll("#lab-form input, #lab-form select")) e.disabled = true;
  page.listings = saved.listings;
  if (saved.sides) take(saved.sides);
  render();
  if (saved.runs) showConnection(true);
}

// ---- beginning

function theme(name) {
  document.documentElement.dataset.theme = name;
}

async function share() {
  const to = location.origin + location.pathname + location.hash;
  let words = t("shared");
  try { await navigator.clipboard.writeText(to); } catch { words = `${t("share_by_hand")} ${to}`; }
  $("told").textContent = "";
  $("share").blur();
  toast(words);
}

function toast(text) {
  document.querySelector(".toast")?.remove();
  const e = el("p", { class: "toast", role: "status" }, text);
  document.body.append(e);
  setTimeout(() => e.remove(), 6000);
}

// follow goes to where the address says.
function follow() {
  const to = link.read(location.hash);
  if (to.token) history.replaceState(null, "", location.hash.replace(/(token|lang)=[^&]*&?/g, ""));
  if (!page.ready) return to;
  page.preset = "";
  if (to.recorded && page.recorded) mode("recorded");
  else if (to.live && page.commands.some((c) => c.name === to.live)) { page.command = to.live; mode("live"); }
  else if (to.setting) { show(to.setting); mode("lab"); }
  else choosePreset(page.presets.some((p) => p.name === to.at) ? to.at : "15a");
  return to;
}

async function begin() {
  if (saved) { replay(); return; }
  const to = follow();
  try {
    const start = await ask("start");
    Object.assign(page, { presets: start.presets, commands: start.commands, recorded: start.recorded, limits: start.limits, ready: true, problem: null });
    page.command = page.commands[0].name;
    for (const id of ["recv", "gap", "delay", "latency"]) $(id).max = String(page.limits[id]);
  } catch (p) {
    page.problem = p;
  }
  render();
  if (page.ready && (to.token || !page.sides.length)) follow();
}

function wire() {
  const on = (id, event, act) => $(id).addEventListener(event, act);
  on("mode-lab", "click", () => { if (page.mode !== "lab") { page.preset = ""; mode("lab"); } });
  on("mode-live", "click", () => { if (page.mode !== "live") { page.preset = ""; mode("live"); } });
  on("mode-recorded", "click", () => { if (page.mode !== "recorded") { page.preset = ""; mode("recorded"); } });
  on("connection", "change", () => { page.connection = Number($("connection").value); page.step = 0; page.byte = null; page.lanes = []; showConnection(true); });
  on("recorded-form", "submit", (e) => e.preventDefault());
  on("lang", "click", () => { language(language() === "zh" ? "en" : "zh"); link.store("lang", language()); render(); });
  on("theme", "click", () => { theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"); link.store("theme", document.documentElement.dataset.theme); render(); });
  on("share", "click", share);
  on("change", "click", () => { reset(); $("messages").focus(); });
  on("preset", "change", () => { if ($("preset").value) choosePreset($("preset").value); });
  on("lab-form", "change", (e) => { if (e.target.id === "framing" && e.target.value === "put") $("messages").value = "9, 11"; if (e.target.id !== "preset") { page.preset = ""; reset(); } });
  on("live-form", "change", (e) => { if (e.target.name === "command") { page.command = e.target.value; page.preset = ""; reset(); document.querySelector(`#commands input[value="${page.command}"]`)?.focus(); } });
  on("lab-form", "submit", (e) => e.preventDefault());
  on("predict", "change", (e) => { page.chosen[e.target.name] = e.target.value; offer(); });
  on("predict", "submit", (e) => { e.preventDefault(); if (!$("run").disabled) run(); });
  on("first", "click", () => { stop(); go(0); });
  on("back", "click", () => { stop(); go(page.step - 1); });
  on("next", "click", () => { stop(); go(page.step + 1); });
  on("last", "click", () => { stop(); go(page.steps.length - 1); });
  on("step", "input", () => { stop(); go(Number($("step").value)); });
  on("play", "click", play);
  on("view", "click", () => showAs(page.view === "ladder" ? "lanes" : "ladder"));
  on("again", "click", () => { reset(); document.querySelector("#predict input")?.focus(); });
  window.addEventListener("hashchange", () => { if (saved) return; if (page.ready) follow(); else begin(); });
}

// The reader's own choice first, then that of the command line, then the browser's.
const asked = new URLSearchParams(location.hash.slice(1)).get("lang");
language(saved?.lang || link.stored("lang") || (["zh", "en"].includes(asked) ? asked : navigator.language.toLowerCase().startsWith("en") ? "en" : "zh"));
theme(saved?.theme || link.stored("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
fillSelect($("framing"), [["simple", ""]], "simple");
fillSelect($("text"), [["letters", ""]], "letters");
fillSelect($("buffers"), [["0", ""]], "0");
wire();
begin();
