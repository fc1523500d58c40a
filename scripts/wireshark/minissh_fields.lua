-- What the fields of JSON messages may be (PROTOCOL.md, sections 4, 6 and 7). minissh.lua loads it; it registers nothing.
--
--   fields(name, message, json)   the code of a violation and the reason, or nothing; message is json.decode's

-- s text, b true or false, n whole number, u whole number from 0, y bytes (text, or {"b64":…}, without NUL), l list, o object
local kinds = {
  HELLO = {
    protocol = "s", session = "s", epoch = "u", create = "b", received = "u", user = "s", resend = "n", hold = "n", channels = "n",
    keys = "l", software = "s",
  },
  PAIR = { protocol = "s", user = "s", proof = "s" },
  WELCOME = { received = "u", resend = "n", hold = "n", channels = "n", uptime_ms = "n", user = "s", home = "y", software = "s" },
  OPEN = {
    service = "s", command = "y", argv = "l", shell = "b", pty = "o", files = "o", env = "l", dir = "y", old_dir = "y", report_dir = "b", timeout_ms = "n",
  },
  OPENED = { pid = "n", tty = "y" },
  SIGNAL = { signal = "s" },
  RESIZE = { rows = "n", cols = "n", width_px = "n", height_px = "n" },
  NOTICE = { notice = "s", message = "s" },
  EXIT = {
    how = "s", code = "n", signal = "s", core = "b", duration_ms = "n", user_ms = "n", system_ms = "n", max_rss_kib = "n", dir = "y", old_dir = "y",
    left = "l",
  },
  CLOSE = { code = "s", message = "s" }, GOODBYE = { code = "s", message = "s" }, ERROR = { code = "s", message = "s", key = "s" },
}

local wanted = { s = "text", b = "true or false", n = "a number", u = "a number from 0", y = "bytes without NUL", l = "a list", o = "an object" }

local function fits(kind, v, json)
  local number = json.number(v)
  if kind == "s" then return type(v) == "string" end
  if kind == "b" then return type(v) == "boolean" end
  if kind == "n" then return number ~= nil end
  if kind == "u" then return number ~= nil and number >= 0 end
  if kind == "y" and type(v) == "string" then return not v:find("\0", 1, true) end
  if kind == "y" then return type(v) == "table" and type(v.b64) == "string" end
  return type(v) == "table" and not number
end

local function bad_hello(m, json)
  local function number(key) return json.number(m[key]) or 0 end
  if m.protocol ~= "minissh/1" then return "unsupported_protocol", "this is not minissh/1" end
  if type(m.session) ~= "string" or #m.session ~= 64 or m.session:find("[^0-9a-f]") then return "bad_hello", "session is not 64 lower-case hex digits" end
  if number("epoch") == 0 then return "bad_hello", "epoch begins at 1" end
  if number("epoch") == 1 and m.create ~= true then return "bad_hello", "the first hello of a session creates it" end
  if number("resend") ~= 0 and number("resend") < 262144 then return "bad_hello", "resend is neither 0 nor at least 262144" end
  if number("hold") < 0 or number("channels") < 0 or m.keys and #m.keys > 16 then return "bad_hello", "hold, channels or keys is out of range" end
end

return function(name, message, json)
  for key, kind in pairs(kinds[name] or {}) do
    local v = message[key]
    if v ~= nil and v ~= json.null and not fits(kind, v, json) then return "bad_json", key .. " is not " .. wanted[kind] end
  end
  if name == "HELLO" then return bad_hello(message, json) end
end
