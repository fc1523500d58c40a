// What comes after the # of the address: the token (once, at the first opening) and
// the setting. The token is taken out at once and kept for this origin alone.

// read takes the fragment apart. It returns {at}, {live}, {recorded} or {setting}, or {}.
export function read(hash) {
  const p = new URLSearchParams(hash.replace(/^#/, ""));
  const token = p.get("token");
  if (token) store("token", token);
  if (p.get("at")) return { token, at: p.get("at") };
  if (p.has("recorded")) return { token, recorded: true };
  if (p.get("live")) return { token, live: p.get("live") };
  if (!p.has("m")) return { token };
  const whole = (name, otherwise) => (/^\d{1,6}$/.test(p.get(name) || "") ? Number(p.get(name)) : otherwise);
  return {
    token,
    setting: {
      messages: sizes(p.get("m")) || [5, 5], recv: whole("r", 1024), gap: whole("g", 0), delay: whole("d", 0), latency: whole("l", 0), buffers: whole("b", 0),
      nodelay: p.get("n") !== "0", framing: p.get("f") || "simple", text: p.get("t") || "letters",
    },
  };
}

// write is the fragment of a setting.
export function write(setting) {
  const s = setting;
  return `#m=${short(s.messages).replaceAll(" ", "")}&r=${s.recv}&g=${s.gap}&d=${s.delay}&n=${s.nodelay ? 1 : 0}&f=${s.framing}&t=${s.text}${s.latency ? `&l=${s.latency}` : ""}${s.buffers ? `&b=${s.buffers}` : ""}`;
}

// sizes reads "5, 5" or "5*10"; null when that is nothing of the kind.
export function sizes(text) {
  const out = [];
  for (const part of text.split(/[,，、\s]+/).filter(Boolean)) {
    const m = /^(\d{1,5})(?:[*x×](\d{1,2}))?$/.exec(part);
    if (!m) return null;
    for (let i = 0; i < Number(m[2] || 1) && out.length < 100; i++) out.push(Number(m[1]));
  }
  return out.length ? out : null;
}

// short writes sizes as sizes reads them.
export function short(list) {
  const same = list.length > 2 && list.every((n) => n === list[0]);
  return same ? `${list[0]}*${list.length}` : list.join(", ");
}

// store and stored keep a small value for this origin; a browser may forbid that.
const kept = new Map();
export function store(name, value) {
  kept.set(name, value);
  try { localStorage.setItem("minissh-lab-" + name, value); } catch { /* for this page alone, then */ }
}
export function stored(name) {
  if (kept.has(name)) return kept.get(name);
  try { return localStorage.getItem("minissh-lab-" + name); } catch { return null; }
}
