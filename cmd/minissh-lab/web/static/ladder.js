// Time: the latency slider, the socket buffers, and the ladder of a run.
import { t } from "./words.js";

// buffers are the choices of the control.
export const buffers = () => [["0", t("buffers_system")], ...["2048", "4096", "16384", "65536"].map((n) => [n, n + " B"])];

// latency writes the slider's number beside it.
export function latency() {
  const slider = document.getElementById("latency");
  document.getElementById("latency-ms").textContent = slider.value + " ms";
  slider.setAttribute("aria-valuetext", slider.value + " ms");
  slider.oninput ??= latency;
}
