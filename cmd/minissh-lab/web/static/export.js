// What a run is taken along as: files that the lab makes of it.
import { t, language } from "./words.js";
import { $, page } from "./page.js";
import { el } from "./lanes.js";
import { setting } from "./form.js";
import { drawing } from "./drawing.js";
import * as link from "./link.js";

// saved is the run of a page that was taken along; null in the lab's own.
export const saved = JSON.parse(document.getElementById("replay")?.textContent ?? "null");

// the names of files; a lesson's name has letters, digits and - only
const name = (kind) => `minissh-lab-${(page.preset || page.mode).replace(/[^\w-]/g, "")}.${kind === "pcap" ? "pcapng" : kind}`;

// trace is what the lab gave of a side, without what the page has added.
const trace = (s) => ({ ...s, events: s.events.map(({ text, ...e }) => e) });

// run is the run as the lab takes it back.
function run(kind) {
  const out = { kind, mode: page.mode, lang: language(), theme: document.documentElement.dataset.theme, view: page.view };
  if (page.mode === "recorded") out.runs = page.runs.map((r) => ({ ...r, connections: r.connections.slice(page.connection, page.connection + 1) }));
  else out.sides = page.raw.map(trace);
  if (page.mode === "lab") out.setting = page.ran;
  if (page.mode === "live") out.command = page.command;
  return out;
}

// save asks the lab for a file and hands it to the reader.
async function save(kind) {
  if (kind === "svg") {
    hand(new Blob([drawing()], { type: "image/svg+xml" }), name(kind));
    $("export-said").textContent = t("export_svg_said", name(kind));
    return;
  }
  const answer = await fetch("api/export", { method: "POST", headers: { "X-Lab-Token": link.stored("token") || "", "Content-Type": "application/json" }, body: JSON.stringify(run(kind)) }).catch(() => null);
  if (!answer?.ok) { $("export-said").textContent = t("export_failed"); return; }
  hand(await answer.blob(), name(kind));
  $("export-said").textContent = t("export_" + kind + "_said", name(kind));
}

// hand lets the browser keep a file.
function hand(blob, file) {
  const url = URL.createObjectURL(blob);
  const a = el("a", { href: url, download: file });
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// menu fills the list of files.
export function menu() {
  $("export").hidden = saved !== null;
  $("export-name").textContent = t("export");
  $("export-list").replaceChildren(...["html", "svg", "pcap"].map((kind) => {
    const b = el("button", { type: "button", "data-export": kind }, t("export_" + kind));
    b.addEventListener("click", () => save(kind));
    return b;
  }), el("p", { id: "export-said", role: "status" }));
}
