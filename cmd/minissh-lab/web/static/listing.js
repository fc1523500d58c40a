// The Python of both ends, with the lines that run at this step.
import { t, language } from "./words.js";
import { el } from "./lanes.js";

// lines says what each end does at a step: ran are the tags of the lines that ran, by which are
// those that led there; waits is where the program stands meanwhile.
export function lines(side, n) {
  const s = side.state(n), e = s.now, first = side.fields[0]?.name;
  const field = (at) => side.fieldAt(at)?.name ?? first;
  const out = { sender: { ran: [], by: [], waits: [] }, receiver: { ran: [], by: [], waits: [] } };
  switch (e?.kind) {
    case "send": out.sender.ran = ["send", "send:" + (e.to > e.from ? field(e.from) : "data")]; break;
    case "recv":
      out.receiver.ran = e.to > e.from ? ["recv"] : ["recv", "end"];
      out.receiver.by = ["call", e.to > e.from ? "recv:" + field(e.from) : "recv:end", ...(e.to > e.from ? [] : ["recv:" + first])];
      break;
    case "message": out.receiver.ran = ["message", "message:" + e.n]; break;
    case "ack": out.receiver.ran = ["ack"]; out.sender.ran = ["ack"]; break;
    case "block": out.sender.waits = ["send", "send:" + field(e.from)]; break;
    case "close": out.sender.ran = ["close"]; break;
  }
  const ours = side.events.slice(0, n).filter((x) => ["send", "ack", "close"].includes(x.kind)).at(-1);
  if (ours?.kind === "send" && ours !== e && e.kind !== "block") {
    const last = ours.to > ours.from ? field(ours.from) : "data";
    out.sender.waits = [...(side.framing === "ack" && last === "digits" ? ["ack"] : []), "nap", "nap:" + last];
  }
  const theirs = side.events.slice(0, n).filter((x) => ["recv", "message", "ack"].includes(x.kind)).at(-1);
  const over = theirs?.kind === "recv" && theirs.to === theirs.from;
  if (!over && theirs !== e) out.receiver.waits = theirs ? ["recv", "recv:" + field(s.read), "call"] : ["nap"];
  if (out.receiver.waits[0] === "nap" && !side.naps) out.receiver.waits = ["recv", "recv:" + first, "call"];
  return out;
}

// Listing shows one side's programs. They are built once for a run.
export class Listing {
  constructor(listing, side) {
    this.side = side;
    side.naps = listing.receiver.some((l) => l.on?.includes("nap"));
    this.ends = ["sender", "receiver"].map((name) => {
      const rows = listing[name].map((line) => ({ line, row: el("div", { class: "line" }, el("code", {}, line.code, line.zh ? el("span", { class: "comment" }, "# " + line[language()]) : null)) }));
      const setup = rows.filter((r) => r.line.setup).map((r) => r.row), rest = rows.filter((r) => !r.line.setup).map((r) => r.row);
      const folded = el("details", {}, el("summary", {}, t("setup_lines", setup.length)), ...setup);
      const list = el("div", { class: "program", "data-end": name, tabindex: "0", role: "group", "aria-label": t(name) }, folded, ...rest);
      return { name, rows, list };
    });
    this.root = el("div", { class: "programs" }, ...this.ends.map((e) => el("section", {}, el("h3", {}, t(e.name)), e.list)));
  }

  // draw marks the lines of the first n events.
  draw(n) {
    const now = lines(this.side, n);
    for (const { name, rows, list } of this.ends) {
      const { ran, by, waits } = now[name];
      const has = (tags) => rows.filter((r) => r.line.on?.some((tag) => tags.includes(tag)));
      let strong = has(ran), weak = has(by);
      if (by.length && !strong.some((r) => r.line.on.includes("recv"))) { strong = [...strong, ...weak]; weak = []; }
      const stands = strong.length ? [] : has(waits);
      for (const r of rows) {
        const is = strong.includes(r) ? "ran" : weak.includes(r) ? "by" : stands.includes(r) ? "waits" : "";
        r.row.className = "line " + is;
        r.row.title = is ? t("line_" + is) : "";
        if (is === "ran") r.row.setAttribute("aria-current", "step"); else r.row.removeAttribute("aria-current");
      }
      const shown = (strong[0] ?? stands[0])?.row;
      if (shown && list.scrollHeight > list.clientHeight) list.scrollTop = shown.offsetTop - list.clientHeight / 2;
    }
  }
}
