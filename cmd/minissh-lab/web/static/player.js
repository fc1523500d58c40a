// The steps, one after the other, by themselves.
import { page } from "./page.js";
import { draw, go } from "./stage.js";

export function play() {
  if (page.timer) { stop(); draw(); return; }
  if (page.step === page.steps.length - 1) page.step = 0;
  page.timer = setInterval(() => {
    if (page.step === page.steps.length - 1) stop();
    go(page.step + (page.timer ? 1 : 0));
  }, 900);
  go(page.step);
}

export function stop() {
  clearInterval(page.timer);
  page.timer = 0;
}
