// What the page knows: one run, the last, and where in it the reader is.
export const $ = (id) => document.getElementById(id);
export const page = {
  mode: "lab", presets: [], commands: [], limits: null, preset: "", command: "",
  questions: [], chosen: {}, running: null, ready: false, problem: null,
  runs: [], connection: 0, sides: [], lanes: [], steps: [[0, 0]], step: 0, byte: null, timer: 0,
  view: "lanes", ladders: null, // or "ladder"
  listings: [], code: [], whose: null, // the Python of each side, and the side that is chosen
};
