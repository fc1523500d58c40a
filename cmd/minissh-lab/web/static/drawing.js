// What is seen of a run, as a drawing by itself (SVG). It is no PNG: to make one, the page would
// have to load an image that is not a file of the lab's, which its policy forbids.
import { page } from "./page.js";
import { sideName } from "./lanes.js";

const space = "http://www.w3.org/2000/svg";
const styles = ["fill", "stroke", "stroke-width", "stroke-linejoin", "stroke-dasharray", "paint-order", "font-family", "font-size", "font-weight", "opacity", "visibility", "text-anchor"];

function make(tag, attributes, text) {
  const e = document.createElementNS(space, tag);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
}

// drawing is the text of an SVG file: the lanes or the ladders, as far as they are shown.
export function drawing() {
  const root = make("svg", { xmlns: space }), paper = getComputedStyle(document.documentElement);
  const [width, height] = page.view === "ladder" ? ladders(root, paper) : lanes(root);
  root.setAttribute("viewBox", `0 0 ${width} ${height}`);
  root.setAttribute("width", width);
  root.setAttribute("height", height);
  root.prepend(make("rect", { width, height, fill: paper.getPropertyValue("--surface").trim() }));
  return new XMLSerializer().serializeToString(root);
}

// ladders are put side by side, whole, with what they are.
function ladders(root, paper) {
  let x = 8, high = 0;
  for (const l of page.ladders.all) {
    const from = l.box.querySelector("svg"), copy = from.cloneNode(true), size = from.viewBox.baseVal;
    const real = from.querySelectorAll("*");
    copy.querySelectorAll("*").forEach((e, i) => { const s = getComputedStyle(real[i]); for (const name of styles) e.setAttribute(name, s.getPropertyValue(name)); });
    for (const [k, v] of Object.entries({ x, y: 28, width: size.width, height: size.height })) copy.setAttribute(k, v);
    root.append(make("text", { x: x + 8, y: 20, "font-family": "sans-serif", "font-size": 16, "font-weight": 650, fill: paper.color }, l.sides.map(sideName).join(" · ")), copy);
    x += size.width + 16;
    high = Math.max(high, size.height);
  }
  return [Math.ceil(x), Math.ceil(high + 36)];
}

// lanes are drawn as the page has laid them out: each box that is painted, then its texts.
function lanes(root) {
  const all = document.getElementById("panels"), at = all.getBoundingClientRect();
  const walk = (e) => {
    const s = getComputedStyle(e), r = e.getBoundingClientRect();
    if (s.display === "none" || s.visibility === "hidden" || !r.width || !r.height) return;
    const line = parseFloat(s.borderTopWidth), filled = !/, 0\)$|transparent/.test(s.backgroundColor);
    if (filled || line > 0) root.append(make("rect", { x: r.left - at.left + line / 2, y: r.top - at.top + line / 2, width: Math.max(0, r.width - line), height: Math.max(0, r.height - line), rx: Math.min(r.height / 2, parseFloat(s.borderTopLeftRadius) || 0), fill: filled ? s.backgroundColor : "none", stroke: line > 0 ? s.borderTopColor : "none", "stroke-width": line, "stroke-dasharray": s.borderTopStyle === "dashed" ? "4 3" : "none" }));
    const seam = line ? 0 : parseFloat(s.borderLeftWidth), x = r.left - at.left + seam / 2;
    if (seam > 0) root.append(make("line", { x1: x, x2: x, y1: r.top - at.top, y2: r.bottom - at.top, stroke: s.borderLeftColor, "stroke-width": seam, "stroke-dasharray": s.borderLeftStyle === "dashed" ? "6 4" : "none" }));
    for (const c of e.childNodes) {
      if (c.nodeType === Node.ELEMENT_NODE) walk(c);
      else if (c.nodeType === Node.TEXT_NODE && c.data.trim()) {
        for (const l of lines(c)) root.append(make("text", { x: l.left - at.left, y: l.top - at.top + l.height * 0.78, "font-family": s.fontFamily, "font-size": s.fontSize, "font-weight": s.fontWeight, fill: s.color }, l.text));
      }
    }
  };
  walk(all);
  return [Math.ceil(at.width), Math.ceil(at.height)];
}

// lines are the lines that the page has broken a text into, and where each is.
function lines(node) {
  const all = [], range = document.createRange();
  let i = 0;
  for (const c of node.data) {
    range.setStart(node, i);
    range.setEnd(node, i += c.length);
    const { left, top, height, width } = range.getBoundingClientRect(), last = all.at(-1);
    if (!width) continue;
    if (last && Math.abs(top - last.top) < 2) last.text += c;
    else all.push({ left, top, height, text: c });
  }
  return all;
}
