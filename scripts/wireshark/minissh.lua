-- minissh 协议的 Wireshark 解析器。The minissh protocol (protocol/PROTOCOL.md; "FR2" is a rule
-- there) in Wireshark and tshark.
--
--   minissh --keylog keys HOST COMMAND                              写下 TLS 密钥 / write the TLS secrets
--   tshark -X lua_script:minissh.lua -o tls.keylog_file:keys -r capture.pcapng -Y minissh
--   wireshark -X lua_script:minissh.lua -o tls.keylog_file:keys capture.pcapng
--
-- To have it always, copy all .lua files of this folder to the one that Help, About, Folders calls
-- "Personal Lua Plugins". Inside TLS it is found by its ALPN name and by port 7422. Plain frames (a
-- Unix socket's, sent on over TCP) are shown by Decode As: -d tcp.port==7000,minissh. The course's
-- dialects are in dialects.lua, which this file loads. Tested with Wireshark 4.0 (Lua 5.2) and 4.4
-- (Lua 5.4), which runs no Lua for root.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or ""
local json = dofile(here .. "minissh_json.lua")
local meaning = dofile(here .. "minissh_fields.lua")
local Records = dofile(here .. "minissh_records.lua")
local Link = dofile(here .. "minissh_link.lua")
dofile(here .. "dialects.lua")

local minissh = Proto("minissh", "minissh protocol")

-- What frames there are: name, who sends it (on a channel, or on the link), least and most bytes of
-- payload, JSON or not (FR5).
local header_size, largest = 12, 65536
local types = {}
local function frame_type(number, name, role, least, most, is_json)
  types[number] = { name = name, role = role, least = least, most = most, json = is_json }
end
local function of_json(number, name, role, most) frame_type(number, name, role, 2, most or largest, true) end
of_json(0x01, "OPEN", "opener")
of_json(0x02, "OPENED", "acceptor", 8192)
frame_type(0x03, "WINDOW", "either", 8, 8)
frame_type(0x04, "EOF", "either", 1, 1)
of_json(0x05, "SIGNAL", "opener", 256)
of_json(0x06, "RESIZE", "opener", 256)
of_json(0x07, "NOTICE", "acceptor", 8192)
of_json(0x08, "EXIT", "acceptor", 16384)
of_json(0x09, "CLOSE", "either", 8192)
frame_type(0x10, "STDIN", "opener", 1, largest)
frame_type(0x11, "STDOUT", "acceptor", 1, largest)
frame_type(0x12, "STDERR", "acceptor", 1, largest)
of_json(0x81, "HELLO", "client", 8192)
of_json(0x82, "WELCOME", "daemon", 16384)
frame_type(0x83, "ACK", "either", 8, 8)
frame_type(0x84, "PING", "either", 8, 8)
frame_type(0x85, "PONG", "either", 8, 8)
of_json(0x86, "GOODBYE", "either", 8192)
of_json(0x87, "ERROR", "either", 8192)
of_json(0x88, "PAIR", "either", 4096)

local names = {}
for number, t in pairs(types) do names[number] = t.name end
local function is_data(kind) return kind >= 0x10 and kind <= 0x12 end

-- What is on the wire.
local f = {
  length = ProtoField.uint32("minissh.length", "Length", base.DEC, nil, nil, "bytes of payload that follow the header (FR2)"),
  type = ProtoField.uint8("minissh.type", "Type", base.HEX, names),
  flags = ProtoField.uint8("minissh.flags", "Flags", base.HEX),
  blocked = ProtoField.bool("minissh.flags.blocked", "BLOCKED (data: it used up the credit), SUSPENDED (PING: the client is being stopped)", 8, nil, 0x01),
  reserved = ProtoField.uint16("minissh.reserved", "Reserved", base.HEX),
  channel = ProtoField.uint32("minissh.channel", "Channel", base.DEC),
  json = ProtoField.string("minissh.json", "JSON"),
  data = ProtoField.bytes("minissh.data", "Data"),
  text = ProtoField.string("minissh.text", "Data as text"),
  limit = ProtoField.uint64("minissh.limit", "Bytes that may ever be sent", base.DEC),
  received = ProtoField.uint64("minissh.received", "Session frames received", base.DEC),
  echo = ProtoField.bytes("minissh.echo", "Any eight bytes"),
  ended = ProtoField.uint8("minissh.ended", "Has ended", base.HEX, names),
  rest = ProtoField.bytes("minissh.rest", "Not understood"),
}
-- What is worked out, from the JSON or from the conversation.
local g = {
  link = ProtoField.uint32("minissh.link", "Connection", base.DEC),
  from = ProtoField.string("minissh.from", "From"),
  index = ProtoField.uint32("minissh.index", "Frame number in this direction", base.DEC),
  service = ProtoField.string("minissh.service", "Service"),
  command = ProtoField.string("minissh.command", "Command"),
  user = ProtoField.string("minissh.user", "User"),
  how = ProtoField.string("minissh.how", "How it ended"),
  exit_code = ProtoField.uint32("minissh.exit_code", "Exit code", base.DEC),
  signal = ProtoField.string("minissh.signal", "Signal"),
  notice = ProtoField.string("minissh.notice", "Notice"),
  code = ProtoField.string("minissh.code", "Code"),
  bytes = ProtoField.uint64("minissh.bytes", "Data bytes on this channel in this direction so far", base.DEC),
  credit = ProtoField.uint64("minissh.credit", "Credit left", base.DEC),
  stdin = ProtoField.uint64("minissh.stdin", "STDIN bytes of this channel", base.DEC),
  stdout = ProtoField.uint64("minissh.stdout", "STDOUT bytes of this channel", base.DEC),
  stderr = ProtoField.uint64("minissh.stderr", "STDERR bytes of this channel", base.DEC),
  opened_in = ProtoField.framenum("minissh.opened_in", "Opened in", base.NONE),
  exit_in = ProtoField.framenum("minissh.exit_in", "EXIT in", base.NONE),
  elapsed = ProtoField.relative_time("minissh.elapsed", "Time since OPEN"),
  record = ProtoField.string("minissh.record", "Record (files)"),
  violation = ProtoField.string("minissh.violation", "Violation"),
}
local all = {}
for _, set in ipairs({ f, g }) do
  for _, field in pairs(set) do all[#all + 1] = field end
end
minissh.fields = all

local experts = {
  violation = ProtoExpert.new("minissh.violation.expert", "A rule of the protocol is broken", expert.group.PROTOCOL, expert.severity.ERROR),
  said = ProtoExpert.new("minissh.said", "The other end broke a rule, or was refused", expert.group.RESPONSE_CODE, expert.severity.WARN),
  secret = ProtoExpert.new("minissh.secret", "The session's name, or what proves a pairing, is a secret", expert.group.SECURITY, expert.severity.NOTE),
  lost = ProtoExpert.new("minissh.lost", "Where a frame begins is not known any more", expert.group.UNDECODED, expert.severity.WARN),
  cut = ProtoExpert.new("minissh.cut", "The capture holds a part of this frame only", expert.group.UNDECODED, expert.severity.NOTE),
}
minissh.experts = { experts.violation, experts.said, experts.secret, experts.lost, experts.cut }

-- Each connection's state, and what was found out about each frame when it was seen first:
-- Wireshark shows packets again, in any order.
local stream = Field.new("tcp.stream")
local links, count, found = {}, 0, {}
function minissh.init() links, count, found = {}, 0, {} end

local function link_of(pinfo)
  local source, target = tostring(pinfo.src) .. " " .. pinfo.src_port, tostring(pinfo.dst) .. " " .. pinfo.dst_port
  local streams = { stream() }
  local key = #streams > 0 and tostring(streams[#streams].value) or (source < target and source .. target or target .. source)
  local at = links[key]
  if not at then
    at = { link = Link.new(count, json.number, function() return Records.new(json) end), first = source, lost = {} }
    links[key], count = at, count + 1
  end
  return at, source == at.first and "a" or "b"
end

-- facts_of is Link:see, once for each frame of each packet. pinfo.private is new whenever a packet
-- is dissected.
local function facts_of(pinfo, at, side, frame)
  local n = tonumber(pinfo.private.minissh_frames or "0") + 1
  pinfo.private.minissh_frames = tostring(n)
  local key = pinfo.number .. " " .. n
  if not found[key] or not pinfo.visited then found[key] = at.link:see(side, frame) end
  return found[key], n
end

local function header_of(b)
  return { length = b(0, 4):uint(), kind = b(4, 1):uint(), flags = b(5, 1):uint(), reserved = b(6, 2):uint(), channel = b(8, 4):uint() }
end

-- header_fault is what a header alone shows (FR2, FR3, FR6), in the order in which the programs
-- look.
local function header_fault(h)
  local t = types[h.kind]
  if h.length > largest then return "frame_too_large", string.format("%d bytes announced; the most is %d", h.length, largest) end
  if not t then return "unknown_type", string.format("type 0x%02x is not known", h.kind) end
  if h.length > t.most then return "frame_too_large", string.format("%s of %d bytes; the most is %d", t.name, h.length, t.most) end
  if h.reserved ~= 0 then return "bad_frame", "the reserved bytes are not zero" end
  if h.flags ~= 0 and not (h.flags == 1 and (is_data(h.kind) or t.name == "PING")) then return "bad_frame", string.format("flags 0x%02x on %s", h.flags, t.name) end
  if (h.kind >= 0x80) ~= (h.channel == 0) then return "bad_frame", string.format("%s for channel %d", t.name, h.channel) end
  if h.length < t.least then return "bad_frame", string.format("%s of %d bytes", t.name, h.length) end
end

-- words puts a JSON message into a few words for the Info column, and gives its key fields.
local function words(name, m)
  local short = {}
  local function add(text) if text then short[#short + 1] = text end end
  local keys = {}
  if name == "OPEN" then
    keys.service, keys.command = json.bytes(m.service), json.bytes(m.command)
    if type(m.argv) == "table" and not keys.command then
      local parts = {}
      for i, word in ipairs(m.argv) do parts[i] = json.bytes(word) or "?" end
      keys.command = table.concat(parts, " ")
    end
    add(keys.service)
    add(keys.command and json.quote(keys.command, 60) or m.shell == true and "shell" or nil)
    add(type(m.pty) == "table" and "pty" or nil)
    local files = type(m.files) == "table" and m.files or {}
    local first = json.bytes(files.target) or type(files.sources) == "table" and json.bytes(files.sources[1])
    add(json.bytes(files.mode))
    add(first and json.quote(first, 60))
  elseif name == "EXIT" then
    keys.how, keys.exit_code, keys.signal = json.bytes(m.how), json.number(m.code), json.bytes(m.signal)
    add(keys.how); add(keys.exit_code and string.format("%d", keys.exit_code)); add(keys.signal)
  elseif name == "RESIZE" then
    add(string.format("%dx%d", json.number(m.cols) or 0, json.number(m.rows) or 0))
  else
    keys.user, keys.signal, keys.notice, keys.code = json.bytes(m.user), json.bytes(m.signal), json.bytes(m.notice), json.bytes(m.code)
    add(keys.user); add(keys.signal); add(keys.notice); add(keys.code)
    add(json.number(m.pid) and string.format("pid %d", json.number(m.pid)))
  end
  for key, v in pairs(keys) do
    if type(v) == "string" then keys[key] = json.graphic(v, 1024) end
  end
  return table.concat(short, " "), keys
end

-- payload shows what follows the header. It fills in what Link:see wants to know, and gives a few
-- words and a violation, if any.
local show = {}

-- masked puts stars in place of a secret, as `minissh trace` hides it; nil where there is none
-- (SE1, PA3).
local function masked(name, m, text)
  local secret = name == "HELLO" and m.session or name == "PAIR" and m.proof
  if minissh.prefs.secrets or type(secret) ~= "string" or #secret < 8 then return nil end
  local at, stop = text:find(secret, 1, true)
  while at do
    text = text:sub(1, at - 1) .. ("*"):rep(#secret) .. text:sub(stop + 1)
    at, stop = text:find(secret, stop + 1, true)
  end
  return text
end

function show.json(frame, body, pinfo, tree)
  local text = body:raw()
  local m, wrong = json.decode(text, true)
  if not m then
    tree:add(f.json, body, json.graphic(text))
    return "", "bad_json", wrong
  end
  local instead = masked(frame.name, m, text)
  local item = tree:add(f.json, body, json.graphic(instead or text))
  local shown = instead and ByteArray.new(instead, true):tvb(frame.name .. " without its secret") or body:tvb()
  local dissector = Dissector.get("json")
  if dissector then pcall(dissector.call, dissector, shown, pinfo, item) end
  frame.json = m
  local short, keys = words(frame.name, m)
  for _, key in ipairs({ "service", "command", "user", "how", "exit_code", "signal", "notice", "code" }) do
    if keys[key] then tree:add(g[key], body, keys[key]):set_generated() end
  end
  if frame.name == "HELLO" or frame.name == "PAIR" then item:add_proto_expert_info(experts.secret) end
  if frame.name == "ERROR" then tree:add_proto_expert_info(experts.said, "ERROR: " .. (keys.code or "")) end
  return short, meaning(frame.name, m, json)
end

function show.data(frame, body, _, tree)
  local text = body:raw()
  frame.bytes = text
  tree:add(f.data, body)
  tree:add(f.text, body, json.quote(text, 1024)):set_generated()
  local shown = json.quote(text, 40)
  return string.format("%d B %s", frame.length, #shown < 80 and shown or json.quote(text, 16))
end

function show.EOF(frame, body, _, tree)
  frame.ended = body:uint()
  tree:add(f.ended, body)
  if not is_data(frame.ended) then return "", "bad_frame", string.format("EOF for 0x%02x, which is not a kind of data", frame.ended) end
  return "of " .. names[frame.ended]
end

function show.WINDOW(frame, body, _, tree)
  frame.number = body:uint64():tonumber()
  tree:add(f.limit, body)
  return tostring(body:uint64())
end

function show.ACK(frame, body, _, tree)
  frame.number = body:uint64():tonumber()
  tree:add(f.received, body)
  return tostring(body:uint64())
end

function show.PING(_, body, _, tree)
  tree:add(f.echo, body)
  return tostring(body:bytes())
end
show.PONG = show.PING

-- summary collects what a packet holds for the Info column, over all of its TLS records.
local function summary(pinfo, n, text)
  local shown = 12
  local line = pinfo.private.minissh_info
  if n <= shown then line = (line and line .. " | " or "") .. text end
  pinfo.private.minissh_info = line
  pinfo.cols.protocol = "minissh"
  pinfo.cols.info = n <= shown and line or line .. string.format(" | … %d frames", n)
end

local function uint64(n) return n and UInt64.new(math.floor(n % 4294967296), math.floor(n / 4294967296)) end

-- figures shows what the whole conversation tells about a frame.
local function figures(tree, facts, frame)
  local function add(field, value) if value then tree:add(field, value):set_generated() end end
  add(g.link, facts.link)
  add(g.from, facts.from)
  add(g.index, facts.index)
  local c = facts.channel
  if c then
    add(g.bytes, uint64(facts.bytes))
    add(g.credit, uint64(facts.credit))
    if frame.name == "OPEN" then add(g.exit_in, c.exit_in) else add(g.opened_in, c.opened_in) end
    if frame.name == "EXIT" or frame.name == "CLOSE" then
      for i, field in ipairs({ g.stdin, g.stdout, g.stderr }) do add(field, uint64(c.bytes[0x0f + i] or 0)) end
    end
  end
  for _, r in ipairs(facts.records or {}) do
    local text = r.wrong or r.kind .. (r.id and string.format(" %d", r.id) or "") .. (r.name and " " .. json.quote(r.name, 60) or "")
      .. (r.size and string.format(" of %d B", r.size) or "") .. (r.body and r.body > 0 and string.format(", body %d B", r.body) or "")
      .. (type(r.code) == "string" and " " .. json.graphic(r.code, 40) or "")
    local item = tree:add(g.record, text):set_generated()
    if r.wrong then item:add_proto_expert_info(experts.violation, "bad_record: " .. r.wrong) end
  end
  if facts.elapsed then
    local whole = math.floor(facts.elapsed)
    add(g.elapsed, NSTime.new(whole, math.floor((facts.elapsed - whole) * 1e9 + 0.5)))
  end
end

-- one shows one frame; of its bytes some may be missing when its length breaks a rule.
local function one(buffer, pinfo, root, at, side)
  local h = header_of(buffer)
  local t = types[h.kind] or { name = string.format("type 0x%02x", h.kind), role = "either" }
  local tree = root:add(minissh, buffer)
  tree:add(f.length, buffer(0, 4))
  tree:add(f.type, buffer(4, 1))
  local flags = tree:add(f.flags, buffer(5, 1))
  flags:add(f.blocked, buffer(5, 1))
  tree:add(f.reserved, buffer(6, 2))
  tree:add(f.channel, buffer(8, 4))
  local code, why = header_fault(h)
  local frame = {
    kind = h.kind, name = t.name, role = t.role, channel = h.channel, length = h.length, flags = h.flags, data = is_data(h.kind),
    packet = pinfo.number, time = pinfo.rel_ts,
  }
  local short = ""
  if buffer:len() > header_size then
    local body = buffer(header_size)
    local payload = t.json and show.json or frame.data and show.data or show[t.name]
    if code or not payload then
      tree:add(f.rest, body)
    else
      short, code, why = payload(frame, body, pinfo, tree)
    end
  end
  frame.faulty = code ~= nil
  local facts, n = facts_of(pinfo, at, side, frame)
  if not code then code, why = facts.code, facts.why end
  figures(tree, facts, frame)
  if code then
    tree:add(g.violation, code):set_generated()
    tree:add_proto_expert_info(experts.violation, code .. ": " .. why)
  end
  if facts.records and #facts.records > 0 then
    short = string.format("%d B, %d record%s: %s", h.length, #facts.records, #facts.records == 1 and "" or "s", facts.records[1].kind or "wrong")
  end
  local line = t.name .. (h.kind < 0x80 and string.format(" %d", h.channel) or "") .. (short ~= "" and " " or "") .. short
  tree:append_text(": " .. line)
  summary(pinfo, n, line .. (code and " [" .. code .. "]" or ""))
end

-- After a header that breaks a rule the ends read no further (FR7), and where the next frame begins
-- may be anybody's guess. A type that is not known may be a later version's.
local function hopeless(h)
  local code = header_fault(h)
  return code and code ~= "unknown_type"
end

-- TCP and TLS give what has come; N frames may be there, or a part of one. What is missing is asked
-- for (FR4).
function minissh.dissector(buffer, pinfo, root)
  local at, side = link_of(pinfo)
  local offset, total, mark = 0, buffer:len(), "minissh_lost_" .. side
  local lost = at.lost[side] and at.lost[side] < pinfo.number or pinfo.private[mark] ~= nil
  while offset < total and not lost do
    local left, need = total - offset, header_size
    if left >= header_size then
      local h = header_of(buffer(offset, header_size))
      need = header_size + h.length
      if hopeless(h) then
        at.lost[side] = math.min(at.lost[side] or pinfo.number, pinfo.number)
        pinfo.private[mark], lost = "yes", true
        need = math.min(need, left)
      end
    end
    if left < need and pinfo.can_desegment > 0 and buffer:reported_len() == total then
      pinfo.desegment_offset = offset
      pinfo.desegment_len = left < header_size and DESEGMENT_ONE_MORE_SEGMENT or need - left
      return total
    elseif left < need then
      root:add(minissh, buffer(offset)):add(f.rest, buffer(offset)):add_proto_expert_info(experts.cut)
      return total
    end
    one(buffer(offset, need), pinfo, root, at, side)
    offset = offset + need
  end
  if offset < total then root:add(minissh, buffer(offset)):add(f.rest, buffer(offset)):add_proto_expert_info(experts.lost) end
  return total
end

-- Where it is found. The port is TLS's: plain frames have no port of their own.
minissh.prefs.port = Pref.uint("TLS port", 7422, "where Wireshark expects TLS with minissh in it, besides wherever the ALPN name says so")
minissh.prefs.secrets = Pref.bool("Show secrets", false, "the names of sessions, and what pairing says; the bytes themselves are shown anyway")
local port
local function listen()
  local tls, tcp = DissectorTable.get("tls.port"), DissectorTable.get("tcp.port")
  if port then tls:remove(port, minissh); tcp:remove(port, Dissector.get("tls")) end
  port = minissh.prefs.port > 0 and minissh.prefs.port or nil
  if port then tls:add(port, minissh); tcp:add(port, Dissector.get("tls")) end
end
minissh.prefs_changed = listen
listen()
DissectorTable.get("tls.alpn"):add("minissh/1", minissh)
DissectorTable.get("tcp.port"):add_for_decode_as(minissh)
