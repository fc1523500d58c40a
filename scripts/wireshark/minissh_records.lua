-- The records of the service `files` (FILES.md) in the data of its channels: a length of 4 bytes, a
-- JSON header of that length, `body` raw bytes. They have nothing to do with frames: one may lie
-- over many, and many in one. minissh.lua loads it; it registers nothing.
--
--   parser = Records.new(json)
--   list = parser:take(bytes)   the records whose header ends in these bytes: { kind =, id =, name =, size =, body = }, or { wrong = "…" },
--                               after which nothing is believed

local Records = {}
Records.__index = Records

local least, most, most_body = 2, 16384, 262144

function Records.new(json) return setmetatable({ json = json, kept = "", body = 0 }, Records) end

-- header reads one header from the kept bytes; nil as long as a part is missing.
function Records:header()
  if #self.kept < 4 then return nil end
  local a, b, c, d = self.kept:byte(1, 4)
  local length = ((a * 256 + b) * 256 + c) * 256 + d
  if length < least or length > most then return { wrong = string.format("a header of %d bytes", length) } end
  if #self.kept < 4 + length then return nil end
  local m, why = self.json.decode(self.kept:sub(5, 4 + length), true)
  self.kept = self.kept:sub(5 + length)
  if not m then return { wrong = "a header that is bad JSON: " .. why } end
  local body = self.json.number(m.body) or 0
  if body < 0 or body > most_body then return { wrong = string.format("a body of %d bytes", body) } end
  self.body = body
  local kind = type(m.kind) == "string" and m.kind or "?"
  return { kind = kind, id = self.json.number(m.id), name = self.json.bytes(m.name), size = self.json.number(m.size), body = body, code = m.code }
end

function Records:take(bytes)
  local list = {}
  self.kept = self.kept .. bytes
  while not self.lost do
    local skipped = math.min(self.body, #self.kept)
    self.kept, self.body = self.kept:sub(skipped + 1), self.body - skipped
    if self.body > 0 then break end
    local record = self:header()
    if not record then break end
    list[#list + 1] = record
    self.lost = record.wrong
  end
  if self.lost then self.kept = "" end
  return list
end

return Records
