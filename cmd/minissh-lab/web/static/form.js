// The form of a setting.
import { $ } from "./page.js";
import { el } from "./lanes.js";
import * as link from "./link.js";

// setting is what the form says.
export function setting() {
  const n = (id) => Math.trunc(Number($(id).value)) || 0;
  return {
    messages: link.sizes($("messages").value) || [], recv: n("recv"), gap: n("gap"), delay: n("delay"), latency: n("latency"), buffers: n("buffers"),
    nodelay: $("nodelay").checked, framing: $("framing").value, text: $("text").value,
  };
}

// show sets the form.
export function show(s) {
  $("messages").value = link.short(s.messages);
  for (const id of ["recv", "gap", "delay", "latency", "buffers", "framing", "text"]) $(id).value = String(s[id]);
  $("nodelay").checked = s.nodelay;
}

export function fillSelect(select, options, value) {
  select.replaceChildren(...options.map(([v, words]) => el("option", { value: v }, words)));
  select.value = value;
}
