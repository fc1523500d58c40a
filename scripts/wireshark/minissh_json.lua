-- JSON and text for the dissectors next to this file, which load it; it registers nothing.
--
--   json.decode(text, strict)  the object, or nil and what is wrong. Strings, booleans, objects and lists stand for themselves, null is
--                              json.null. strict: the rules JS of PROTOCOL.md.
--   json.number(value)         a number of such an object as Lua's, nil if it is not one
--   json.bytes(value)          text, or what {"b64":…} holds (JS3); nil if it is neither
--   json.graphic(bytes, limit) at most limit bytes, fit for a terminal; quotation marks and backslashes stay
--   json.quote(bytes, limit)   the same in double quotes, with \n and the like

local json = { null = {} }
local Number = {} -- the metatable of numbers, which are kept as their text
local deepest = 8 -- JS1

-- character is the length of the UTF-8 character at i and its number, nil if there is none.
local function character(s, i)
  local a, b, c, d = s:byte(i, i + 3)
  local function follows(x) return x and x >= 0x80 and x < 0xc0 end
  if a < 0x80 then return 1, a end
  if a >= 0xc2 and a < 0xe0 and follows(b) then return 2, (a - 0xc0) * 64 + b - 0x80 end
  if a >= 0xe0 and a < 0xf0 and follows(b) and follows(c) then
    local n = (a - 0xe0) * 4096 + (b - 0x80) * 64 + c - 0x80
    if n >= 0x800 and (n < 0xd800 or n > 0xdfff) then return 3, n end
  elseif a >= 0xf0 and a < 0xf5 and follows(b) and follows(c) and follows(d) then
    local n = (a - 0xf0) * 262144 + (b - 0x80) * 4096 + (c - 0x80) * 64 + d - 0x80
    if n >= 0x10000 and n <= 0x10ffff then return 4, n end
  end
end

local function valid(s)
  local i = 1
  while i <= #s do
    local n = character(s, i)
    if not n then return false end
    i = i + n
  end
  return true
end

local short = { [9] = "\\t", [10] = "\\n", [13] = "\\r", [34] = '\\"', [92] = "\\\\" }

-- unfit tells characters that control a terminal or turn the direction of what follows.
local function unfit(n)
  return n < 32 or n >= 127 and n < 160 or n >= 0x200e and n <= 0x200f or n >= 0x2028 and n <= 0x202e
    or n >= 0x2066 and n <= 0x2069 or n == 0xfeff
end

local function escaped(s, limit, marks)
  local out, i, stop = {}, 1, math.min(#s, limit or #s)
  while i <= stop do
    local n, number = character(s, i)
    if n and i + n - 1 > stop and stop < #s then break end -- no character is cut
    if not n then
      n, out[#out + 1] = 1, string.format("\\x%02x", s:byte(i))
    elseif marks[number] or unfit(number) then
      out[#out + 1] = marks[number] or string.format(number < 256 and "\\x%02x" or "\\u%04x", number)
    else
      out[#out + 1] = s:sub(i, i + n - 1)
    end
    i = i + n
  end
  return table.concat(out), i <= #s and "…" or ""
end

function json.graphic(s, limit)
  local text, more = escaped(s, limit, {})
  return text .. more
end

function json.quote(s, limit)
  local text, more = escaped(s, limit, short)
  return '"' .. text .. '"' .. more
end

local function utf8(n)
  local function tail(shift) return 0x80 + math.floor(n / shift) % 64 end
  if n < 0x80 then return string.char(n) end
  if n < 0x800 then return string.char(0xc0 + math.floor(n / 64), tail(1)) end
  if n < 0x10000 then return string.char(0xe0 + math.floor(n / 4096), tail(64), tail(1)) end
  return string.char(0xf0 + math.floor(n / 262144), tail(4096), tail(64), tail(1))
end

local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

-- Each of these takes the text and where it begins, and gives a value and where the next begins; a
-- fault is thrown as a table.
local value

local function fault(what) error({ what = what }, 0) end

local function blank(s, i) return s:match("^[ \t\r\n]*()", i) end

local function unit(s, i) -- of a \uXXXX
  local digits = s:match("^\\u(%x%x%x%x)", i)
  return digits and tonumber(digits, 16)
end

local function text(s, i)
  local parts = {}
  i = i + 1
  while true do
    local plain, after = s:match('^([^%c"\\]*)()', i)
    parts[#parts + 1], i = plain, after
    local c = s:sub(i, i)
    if c == '"' then return table.concat(parts), i + 1 end
    if c == "\127" then
      parts[#parts + 1], i = c, i + 1 -- %c has it, JSON does not mind it
    elseif c ~= "\\" then
      fault(c == "" and "a string without an end" or "a control character in a string")
    elseif s:sub(i + 1, i + 1) == "u" then
      local n = unit(s, i) or fault("a bad escape")
      i = i + 6
      if n >= 0xd800 and n <= 0xdfff then
        local low = n < 0xdc00 and unit(s, i)
        if not low or low < 0xdc00 or low > 0xdfff then fault("half of a surrogate pair") end
        n, i = 0x10000 + (n - 0xd800) * 1024 + low - 0xdc00, i + 6
      end
      parts[#parts + 1] = utf8(n)
    else
      parts[#parts + 1], i = escapes[s:sub(i + 1, i + 1)] or fault("a bad escape"), i + 2
    end
  end
end

local most = { [""] = "9223372036854775807", ["-"] = "9223372036854775808" }

local function number(s, i, strict)
  local all, sign, whole = s:match("^((%-?)(%d+)[%d%.eE+-]*)", i)
  if not all or whole:match("^0%d") then fault("no value that JSON knows") end
  if not tonumber(all) or all:match("%.$") or all:match("%.[eE]") then fault("no value that JSON knows") end
  if strict and (all ~= sign .. whole or #whole > 19 or #whole == 19 and whole > most[sign]) then
    fault(all .. " is not a whole number of 63 bits")
  end
  return setmetatable({ digits = all }, Number), i + #all
end

function json.bytes(v)
  if type(v) == "table" and type(v.b64) == "string" then return ByteArray.new(v.b64, true):base64_decode():raw() end
  return type(v) == "string" and v or nil
end

function json.number(v) return getmetatable(v) == Number and tonumber(v.digits) or nil end

local function object(s, i, strict, depth)
  local out = {}
  i = blank(s, i + 1)
  if s:sub(i, i) == "}" then return out, i + 1 end
  while true do
    if s:sub(i, i) ~= '"' then fault("no key where one belongs") end
    local key
    key, i = text(s, i)
    if strict and not key:match("^[a-z0-9_]+$") then fault("the key " .. json.quote(key, 40) .. " has other characters than a-z, 0-9 and _") end
    if strict and out[key] ~= nil then fault("the key " .. key .. " is there twice") end
    i = blank(s, i)
    if s:sub(i, i) ~= ":" then fault("no colon after a key") end
    out[key], i = value(s, blank(s, i + 1), strict, depth)
    i = blank(s, i)
    local c = s:sub(i, i)
    if c == "}" then return out, i + 1 end
    if c ~= "," then fault("an object without an end") end
    i = blank(s, i + 1)
  end
end

local function list(s, i, strict, depth)
  local out = {}
  i = blank(s, i + 1)
  if s:sub(i, i) == "]" then return out, i + 1 end
  while true do
    out[#out + 1], i = value(s, i, strict, depth)
    i = blank(s, i)
    local c = s:sub(i, i)
    if c == "]" then return out, i + 1 end
    if c ~= "," then fault("a list without an end") end
    i = blank(s, i + 1)
  end
end

function value(s, i, strict, depth)
  local c = s:sub(i, i)
  if c == "{" or c == "[" then
    if depth == (strict and deepest or 64) then fault("nested more than " .. depth .. " deep") end
    return (c == "{" and object or list)(s, i, strict, depth + 1)
  end
  if c == '"' then
    local out, after = text(s, i)
    if strict and out:find("\0", 1, true) then fault("NUL in a string") end
    return out, after
  end
  local word = s:match("^%l+", i)
  if word == "true" or word == "false" then return word == "true", i + #word end
  if word == "null" then return json.null, i + 4 end
  return number(s, i, strict)
end

function json.decode(s, strict)
  if not valid(s) then return nil, "it is not UTF-8" end
  local i = blank(s, 1)
  if s:sub(i, i) ~= "{" then return nil, "it is not an object" end
  local done, out, after = pcall(value, s, i, strict, 0)
  if not done then return nil, type(out) == "table" and out.what or tostring(out) end
  if blank(s, after) <= #s then return nil, "something follows the object" end
  return out
end

return json
