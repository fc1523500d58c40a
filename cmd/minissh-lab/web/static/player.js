// The steps, one after the other, by themselves.
import { page } from "./page.js";
import { draw, go } from "./stage.js";

// whole is about how long a run plays by itself, in milliseconds; a step is shown for at least
// quick and at most slow, and where there are too many, some are passed over.
const whole = 8000, quick = 60, slow = 1200;

// play goes on by hand, a step each time at a pace to read at.
export function play() {
  if (page.timer) { stop(); draw(); return; }
  if (page.step === page.steps.length - 1) page.step = 0;
  start(900, 1);
}

// show plays a run that has just come, or shows its end to who wants no motion.
export function show() {
  const last = page.steps.length - 1;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) { go(last); return; }
  const pause = Math.min(slow, Math.max(quick, whole / Math.max(1, last)));
  start(pause, Math.ceil((last * pause) / whole));
}

function start(pause, stride) {
  stop();
  page.timer = setInterval(() => {
    if (page.step === page.steps.length - 1) { stop(); draw(); } else go(page.step + stride);
  }, pause);
  go(page.step);
}

export function stop() {
  clearInterval(page.timer);
  page.timer = 0;
}

// Any key and any click ends it, whatever else it does; the play button does so itself.
for (const event of ["keydown", "pointerdown"]) {
  window.addEventListener(event, (e) => {
    if (page.timer && !e.target?.closest?.("#play")) { stop(); draw(); }
  }, true);
}
