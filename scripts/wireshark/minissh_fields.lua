-- What the fields of JSON messages may be (the rules JS, EX and SE of PROTOCOL.md). minissh.lua
-- loads it; it registers nothing.
--
--   fields(name, message, json)   the code of a violation and the reason, or nothing; message is json.decode's

-- s text, b true or false, n whole number, y bytes (text, or {"b64":…}, without NUL), o object;
-- { each = kind, of = count } a list, { values = kind } an object of such values,
-- { fields = kinds } one of known fields
local size = { rows = "n", cols = "n", width_px = "n", height_px = "n" }
local pty = { term = "y", rows = "n", cols = "n", width_px = "n", height_px = "n", modes = { values = "n" } }
local exit = {
  how = "s", code = "n", signal = "s", core = "b", duration_ms = "n", user_ms = "n", system_ms = "n", max_rss_kib = "n", dir = "y", old_dir = "y",
  left = { each = { fields = { pid = "n", name = "s" } } },
}
local files = {
  mode = "s", target = "y", sources = { each = "y" }, folder = "b", make = "b", single = "b", recurse = "b", preserve = "b", resume = "b",
  checksum = "b", sync = "b", total = "b",
}
local target = { host = "s", port = "n", path = "y" }
local kinds = {
  HELLO = {
    protocol = "s", session = "s", epoch = "n", create = "b", received = "n", user = "s", resend = "n", hold = "n", channels = "n",
    keys = { each = "s" }, software = "s",
  },
  PAIR = { protocol = "s", user = "s", proof = "s" },
  WELCOME = { received = "n", resend = "n", hold = "n", channels = "n", uptime_ms = "n", user = "s", home = "y", software = "s" },
  OPEN = {
    service = "s", command = "y", argv = { each = "y" }, shell = "b", pty = { fields = pty }, files = { fields = files },
    env = { each = { each = "y", of = 2 } }, dir = "y", old_dir = "y", report_dir = "b", timeout_ms = "n",
    name = "s", connect = { fields = target },
  },
  OPENED = { pid = "n", tty = "y" },
  SIGNAL = { signal = "s" },
  RESIZE = size,
  NOTICE = { notice = "s", message = "s", exit = { fields = exit }, grace_ms = "n" },
  EXIT = exit,
  CLOSE = { code = "s", message = "s", key = "s" }, GOODBYE = { code = "s", message = "s", key = "s" },
  ERROR = { code = "s", message = "s", key = "s" },
}

local wanted = { s = "text", b = "true or false", n = "a number", y = "bytes without NUL" }

local function fits(kind, v, json)
  if v == json.null then return false end
  if kind == "s" then return type(v) == "string" end
  if kind == "b" then return type(v) == "boolean" end
  if kind == "n" then return json.number(v) ~= nil end
  if kind == "y" then return type(v) == "string" or type(v) == "table" and type(v.b64) == "string" end
  if type(v) ~= "table" or json.number(v) then return false end
  for key, one in pairs(v) do
    local of = kind.each or kind.values or kind.fields[key]
    if (kind.each ~= nil) ~= (type(key) == "number") or of and not fits(of, one, json) then return false end
  end
  return not kind.of or #v == kind.of
end

local function bad_hello(m, json)
  local function number(key) return json.number(m[key]) or 0 end
  if m.protocol ~= "minissh/1" then return "unsupported_protocol", "this is not minissh/1" end
  if type(m.session) ~= "string" or #m.session ~= 64 or m.session:find("[^0-9a-f]") then return "bad_hello", "session is not 64 lower-case hex digits" end
  if number("epoch") < 1 then return "bad_hello", "epoch begins at 1" end
  if number("epoch") == 1 and m.create ~= true then return "bad_hello", "the first hello of a session creates it" end
  if number("resend") ~= 0 and number("resend") < 262144 then return "bad_hello", "resend is neither 0 nor at least 262144" end
  if number("received") < 0 or number("hold") < 0 or number("channels") < 0 or m.keys and #m.keys > 16 then
    return "bad_hello", "received, hold, channels or keys is out of range"
  end
end

local function bad_welcome(m, json)
  local function number(key) return json.number(m[key]) or 0 end
  if number("channels") < 16 or number("received") < 0 or number("hold") < 0 or number("uptime_ms") < 0 or number("resend") ~= 0 and number("resend") < 262144 then
    return "bad_frame", "channels, received, hold, resend or uptime_ms is out of range"
  end
end

return function(name, message, json)
  for key, kind in pairs(kinds[name] or {}) do
    local v = message[key]
    if v ~= nil and not fits(kind, v, json) then return "bad_json", key .. " is not " .. (wanted[kind] or "as it must be") end
  end
  if name == "HELLO" then return bad_hello(message, json) end
  if name == "WELCOME" then return bad_welcome(message, json) end
end
