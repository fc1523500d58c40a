-- 课程的两种方言（第 15、16 章）。Two of the course's dialects (chapters 15 and 16;
-- cmd/minissh-lab/dialect) in Wireshark and tshark.
--
--   simple     服务器：4 字节长度，数据                    the server sends 4 bytes of length, then the data
--   ultimate   服务器：4 字节报头长度，JSON 报头，数据     the server sends 4 bytes of header length, a JSON header, the data
--
-- 命令没有边界：一段里来了什么，就当它是一条命令。The client's commands have no boundary: what one
-- segment brings is taken for one command.
-- 发到 labsimple.sent_port 的：客户端也这样发（实验室网页上的运行）。To labsimple.sent_port and
-- labultimate.sent_port it is the client that sends such messages, as in the runs of the lab's page.
-- Ports and byte order are preferences (labsimple.port, labultimate.port, …); any other port by
-- Decode As: -d tcp.port==9000,labultimate. With minissh.lua this is loaded already; alone it needs
-- minissh_json.lua beside it.

if package.loaded["minissh.dialects"] then return end
package.loaded["minissh.dialects"] = true

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or ""
local json = dofile(here .. "minissh_json.lua")
local stream = Field.new("tcp.stream")
local most_data, most_header = 64 * 1024 * 1024, 8192 -- as minissh-lab believes

-- dialect registers one. parse(dialect, buffer, offset, tree) shows a whole reply: it is asked how
-- many bytes it needs until it has them (need), or says what is wrong.
local function dialect(name, title, default_port, default_sent_port, fields, reply)
  local proto = Proto(name, title)
  local f = {
    command = ProtoField.string(name .. ".command", "Command, as one segment brought it"),
    length = ProtoField.int32(name .. ".length", fields.length, base.DEC),
    data = ProtoField.bytes(name .. ".data", "Data"),
    text = ProtoField.string(name .. ".text", "Data as text"),
    rest = ProtoField.bytes(name .. ".rest", "Not understood"),
    asked_in = ProtoField.framenum(name .. ".asked_in", "Answer to", base.NONE),
    elapsed = ProtoField.relative_time(name .. ".elapsed", "Time since the command"),
  }
  local all = {}
  for key, field in pairs(fields) do if key ~= "length" then f[key] = field end end
  for _, field in pairs(f) do all[#all + 1] = field end
  proto.fields = all
  local wrong = ProtoExpert.new(name .. ".wrong", "No such message can be", expert.group.PROTOCOL, expert.severity.ERROR)
  local cut = ProtoExpert.new(name .. ".cut", "A part of a message only", expert.group.UNDECODED, expert.severity.NOTE)
  proto.experts = { wrong, cut }
  proto.prefs.port = Pref.uint("TCP port of the server", default_port, "0: none but Decode As")
  proto.prefs.sent_port = Pref.uint("TCP port of a server to which a client sends messages with lengths", default_sent_port, "0: none")
  proto.prefs.big_endian = Pref.bool("Lengths are big-endian", false, "struct.pack('!i', n) instead of 'i'")

  local asked, answered, lost = {}, {}, {} -- by stream: the last command; by packet and number: what a reply answers; by stream: where it went wrong
  function proto.init() asked, answered, lost = {}, {}, {} end

  local function say(pinfo, text)
    local line = pinfo.private[name]
    line = (line and line .. " | " or "") .. text
    pinfo.private[name] = line
    pinfo.cols.protocol = name
    pinfo.cols.info = line
  end

  local function command(buffer, pinfo, root, id)
    local text = json.quote(buffer():raw(), 200)
    local tree = root:add(proto, buffer())
    tree:add(f.command, buffer(), json.graphic(buffer():raw()))
    tree:append_text(": command " .. text)
    say(pinfo, "command " .. text)
    if not pinfo.visited then asked[id] = { packet = pinfo.number, time = pinfo.rel_ts } end
  end

  local function undecodable(range, root, pinfo, note, why)
    local tree = root:add(proto, range)
    tree:add(f.rest, range):add_proto_expert_info(note, why)
    if why then say(pinfo, why) end
  end

  function proto.dissector(buffer, pinfo, root)
    local streams = { stream() }
    local id = #streams > 0 and streams[#streams].value or 0
    local server = pinfo.match == pinfo.src_port and pinfo.match ~= pinfo.dst_port or pinfo.src_port == proto.prefs.port
    local sent = proto.prefs.sent_port > 0 and pinfo.dst_port == proto.prefs.sent_port
    local total, offset, n = buffer:len(), 0, 0
    if not server and not sent then
      command(buffer, pinfo, root, id)
      return total
    end
    if lost[id] and lost[id] < pinfo.number then
      undecodable(buffer(), root, pinfo, wrong, "bytes after one that could not be")
      return total
    end
    while offset < total do
      local left = total - offset
      local need, bad, show = 4, nil, nil
      if left >= 4 then
        local range = buffer(offset, 4)
        need, bad, show = reply(buffer, offset, proto.prefs.big_endian and range:int() or range:le_int())
      end
      if bad then
        lost[id] = math.min(lost[id] or pinfo.number, pinfo.number)
        undecodable(buffer(offset), root, pinfo, wrong, bad)
        return total
      end
      if left < need and pinfo.can_desegment > 0 and buffer:reported_len() == total then
        pinfo.desegment_offset = offset
        pinfo.desegment_len = show and need - left or DESEGMENT_ONE_MORE_SEGMENT
        return total
      elseif left < need then
        undecodable(buffer(offset), root, pinfo, cut)
        return total
      end
      n = n + 1
      local key = pinfo.number .. " " .. n
      if not pinfo.visited then answered[key], asked[id] = asked[id], nil end
      local tree = root:add(proto, buffer(offset, need))
      local line = show(tree, f, buffer(offset, need), pinfo)
      if sent then line = line:gsub("^reply", "message") end
      local question = answered[key]
      if question then
        local elapsed = pinfo.rel_ts - question.time
        tree:add(f.asked_in, question.packet):set_generated()
        tree:add(f.elapsed, NSTime.new(math.floor(elapsed), math.floor(elapsed % 1 * 1e9 + 0.5))):set_generated()
      end
      tree:append_text(": " .. line)
      say(pinfo, line)
      offset = offset + need
    end
    return total
  end

  local table_of_ports, ports = DissectorTable.get("tcp.port"), {}
  local function listen()
    for _, port in ipairs(ports) do table_of_ports:remove(port, proto) end
    ports = {}
    for _, port in ipairs({ proto.prefs.port, proto.prefs.sent_port }) do
      if port > 0 and port ~= ports[1] then
        ports[#ports + 1] = port
        table_of_ports:add(port, proto)
      end
    end
  end
  proto.prefs_changed = listen
  listen()
  table_of_ports:add_for_decode_as(proto)
  return proto
end

local function endian(proto, tree, field, range)
  if proto.prefs.big_endian then return tree:add(field, range) end
  return tree:add_le(field, range)
end

local function data(tree, f, range)
  if not range then return "0 B" end
  tree:add(f.data, range)
  local text, size = range:raw(), range:len()
  tree:add(f.text, range, json.quote(text, 1024)):set_generated()
  return string.format("%d B %s", size, json.quote(text, 24))
end

local simple
simple = dialect("labsimple", "Course dialect: simple", 8080, 8082, { length = "Length of the data" }, function(_, _, length)
  if length < 0 or length > most_data then return 4, string.format("a length of %d", length) end
  return 4 + length, nil, function(tree, f, range)
    endian(simple, tree, f.length, range(0, 4))
    return "reply " .. data(tree, f, length > 0 and range(4) or nil)
  end
end)

-- size_of finds the size in a header: the copies of the course differ in case and underscores
-- alone.
local function size_of(header)
  for key, v in pairs(header) do
    local plain = key:lower():gsub("_", "")
    if plain == "totalsize" or plain == "datasize" or plain == "filesize" or plain == "size" then
      local n = json.number(v)
      if n and n >= 0 and n == math.floor(n) then return n end
    end
  end
end

local ultimate
ultimate = dialect("labultimate", "Course dialect: ultimate", 8081, 8083, {
  length = "Length of the header",
  header = ProtoField.string("labultimate.header", "Header, JSON"),
  total_size = ProtoField.uint64("labultimate.total_size", "Size of the data", base.DEC),
}, function(buffer, offset, length)
  if length < 2 or length > most_header then return 4, string.format("a header of %d bytes", length) end
  local body = 4 + length
  if buffer:len() - offset < body then return body end
  local text = buffer(offset + 4, length):raw()
  local header, why = json.decode(text)
  if not header then return 4, "the header is not JSON: " .. why end
  local size = size_of(header)
  if not size then return 4, "the header names no size" end
  if size > most_data then return 4, string.format("a size of %.0f", size) end
  return body + size, nil, function(tree, f, range, pinfo)
    endian(ultimate, tree, f.length, range(0, 4))
    local item = tree:add(f.header, range(4, length), json.graphic(text))
    local dissector = Dissector.get("json")
    if dissector then pcall(dissector.call, dissector, range(4, length):tvb(), pinfo, item) end
    tree:add(f.total_size, range(4, length), UInt64.new(size)):set_generated()
    return string.format("reply, header %d B, data %s", length, data(tree, f, size > 0 and range(body) or nil))
  end
end)
