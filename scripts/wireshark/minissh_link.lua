-- What a connection's frames mean together: which end is the client, what is on which channel,
-- how much was sent, and which rules of PROTOCOL.md are broken that one frame alone does not show.
-- minissh.lua loads it; it registers nothing.
--
--   link = Link.new(number, json.number, records)   records() gives a parser for one direction of a channel of `files`
--   facts = link:see(side, frame)   side is "a" or "b", one for each direction; frame.kind, .name, .role, .channel, .length, .ended, .number
--                                   (of WINDOW and ACK), .json (decoded), .bytes (of data), .packet, .time (seconds); .faulty: it is only counted
--   facts.from, .index, .bytes, .credit, .records, .channel (its table), .elapsed, .code and .why (the first rule broken, if any)
--
-- After a frame that breaks a rule the ends stop (FR7); here the next is looked at as if nothing
-- had been.

local Link = {}
Link.__index = Link

local first_credit, first_channels, most_opens = 262144, 16, 1048576 -- CH5, CH2
local other = { a = "b", b = "a" }

function Link.new(number, json_number, new_records)
  local function side() return { index = 0, frames = 0, open = 0, opens = 0, last = 0, acked = 0 } end
  return setmetatable({ number = number, number_of = json_number, new_records = new_records, a = side(), b = side(), channels = {} }, Link)
end

function Link:see(side, frame)
  local own = self[side]
  own.index = own.index + 1
  local facts = { index = own.index, link = self.number }
  if not frame.faulty then
    local rule = frame.kind >= 0x80 and self.link_frame or self.session_frame
    facts.code, facts.why = rule(self, side, frame, facts)
  end
  if self.client then facts.from = side == self.client and "client" or "daemon" end
  if frame.kind < 0x80 then own.frames = own.frames + 1 end
  return facts
end

-- Of HELLO, WELCOME and the like. A rule gives a code and its reason, or nothing.
function Link:link_frame(side, frame)
  local own, peer = self[side], self[other[side]]
  local function number(key) return frame.json and self.number_of(frame.json[key]) end
  if frame.name == "HELLO" then
    if own.index > 1 or self.client == other[side] then return "unexpected_frame", "HELLO is a client's first frame" end
    self.client, own.resend = side, number("resend") or 0
    own.allows = number("channels") or 0
    self.whole = number("epoch") == 1 -- else channels may stem from an earlier link
  elseif frame.name == "PAIR" then -- the client's instead of HELLO, the daemon's instead of WELCOME (PA3)
    if own.index > 1 then return "unexpected_frame", "PAIR is an end's first frame" end
    self.client = self.client or side
  elseif self.client and own.index == 1 and side ~= self.client and frame.name ~= "WELCOME" and frame.name ~= "ERROR" then
    return "unexpected_frame", "nothing precedes the answer to HELLO"
  elseif frame.name == "WELCOME" then
    if side == self.client or own.index > 1 then return "unexpected_frame", "WELCOME is a daemon's first frame" end
    own.resend, own.allows = number("resend") or 0, number("channels") or 0
  elseif frame.name == "PING" and frame.flags ~= 0 and self.client and side ~= self.client then
    return "bad_frame", "a daemon is not suspended"
  elseif frame.name == "ACK" then
    if peer.resend == 0 then return "bad_ack", "the other end keeps nothing for resending" end
    if frame.number < own.acked then return "bad_ack", "it shrinks" end
    if self.whole and frame.number > peer.frames then return "bad_ack", "so many have not been sent" end
    own.acked = frame.number
  end
end

function Link:session_frame(side, frame, facts)
  local name = frame.name
  if name == "OPEN" then return self:open(side, frame, facts) end
  local c = self.channels[frame.channel]
  if not c then
    if self.whole then return "unknown_channel", name .. " for a channel that was never opened" end
    c = self:channel(frame) -- the capture began later than the channel
  end
  facts.channel = c
  if c.closed[side] and c.closed[other[side]] then return "unknown_channel", name .. " for a channel that both ends have closed" end
  if c.closed[side] then return "unexpected_frame", name .. " after CLOSE" end
  if c.opener and frame.role ~= "either" and (frame.role == "opener") ~= (c.opener == side) then
    return "unexpected_frame", name .. " comes from the " .. frame.role .. " alone"
  end
  local answers = c.opener and c.opener ~= side
  if answers and not c.opened and name ~= "OPENED" and name ~= "CLOSE" and name ~= "WINDOW" then
    return "unexpected_frame", name .. " before OPENED"
  end
  local rule = self[name]
  if frame.data then rule = self.data end
  if rule then return rule(self, side, frame, c, facts) end
end

-- channel makes the table of a channel. credit is by side, that of the sender.
function Link:channel(frame)
  local c = {
    id = frame.channel, sent = { a = 0, b = 0 }, limit = { a = first_credit, b = first_credit },
    bytes = {}, ended = {}, closed = {}, records = {},
  }
  self.channels[frame.channel] = c
  return c
end

function Link:open(side, frame, facts)
  local own, peer = self[side], self[other[side]]
  local odd = frame.channel % 2 == 1
  if self.client and odd ~= (side == self.client) then return "channel_reused", "a client's channels are odd, a daemon's even" end
  if self.client and frame.channel <= own.last then return "channel_reused", "a channel's number is greater than the last one" end
  own.last = frame.channel
  local allowed = peer.allows or side == self.client and first_channels
  if self.whole and allowed and own.open >= allowed then return "too_many_channels", string.format("more than %d at once", allowed) end
  if self.whole and own.opens + frame.length > most_opens then
    return "too_many_channels", string.format("the OPENs of open channels hold more than %d bytes", most_opens)
  end
  local c = self:channel(frame)
  c.size, own.opens = frame.length, own.opens + frame.length
  c.opener, c.opened_in, c.opened_at = side, frame.packet, frame.time
  c.service = frame.json and frame.json.service
  own.open = own.open + 1
  facts.channel = c
end

function Link:data(side, frame, c, facts)
  if c.ended[frame.kind] then return "unexpected_frame", frame.name .. " after its EOF" end
  c.sent[side] = c.sent[side] + frame.length
  c.bytes[frame.kind] = (c.bytes[frame.kind] or 0) + frame.length
  facts.bytes = c.sent[side]
  if c.service == "files" and frame.name ~= "STDERR" then
    c.records[side] = c.records[side] or self.new_records()
    facts.records = c.records[side]:take(frame.bytes)
  end
  if not c.opener then return end -- what was granted before the capture began is not known
  if c.sent[side] > c.limit[side] then return "window_exceeded", string.format("%d bytes; %d are allowed", c.sent[side], c.limit[side]) end
  facts.credit = c.limit[side] - c.sent[side]
end

function Link:WINDOW(side, frame, c)
  local sender = other[side]
  if c.opener and frame.number <= c.limit[sender] then return "bad_window", string.format("it only grows; %d are allowed already", c.limit[sender]) end
  c.limit[sender] = frame.number
end

function Link:EOF(side, frame, c)
  if c.opener and (frame.ended == 0x10) ~= (c.opener == side) then return "unexpected_frame", "this stream is the other end's" end
  if c.ended[frame.ended] then return "unexpected_frame", "a second EOF" end
  c.ended[frame.ended] = true
end

function Link:OPENED(_, frame, c, facts)
  if c.opened then return "unexpected_frame", "OPENED a second time" end
  c.opened = true
  self.since(frame, c, facts)
end

function Link:NOTICE(_, _, c)
  if c.exited then return "unexpected_frame", "NOTICE after EXIT" end
end

function Link:EXIT(_, frame, c, facts)
  if c.exited then return "unexpected_frame", "EXIT a second time" end
  if c.opener and not (c.ended[0x11] and c.ended[0x12]) then return "unexpected_frame", "EXIT before both EOF frames" end
  c.exited, c.exit_in = true, frame.packet
  self.since(frame, c, facts)
end

function Link:CLOSE(side, frame, c, facts)
  c.closed[side] = true
  if c.closed[other[side]] and c.opener then
    local opener = self[c.opener]
    opener.open, opener.opens = opener.open - 1, opener.opens - c.size
  end
  self.since(frame, c, facts)
end

-- since tells how long ago the channel was opened.
function Link.since(frame, c, facts)
  if c.opened_at then facts.elapsed = frame.time - c.opened_at end
end

return Link
