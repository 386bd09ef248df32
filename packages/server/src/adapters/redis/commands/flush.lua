-- Adds what the events [from, to) of a partition add to the windows of one slot group, and moves the partition's fence
-- there from `from` to `to`: all of it or nothing. Begins with windows.lua.
--
-- KEYS  as windows.lua says
-- ARGV  1 "<log epoch>:<partition>"  2 from  3 to  4 complete from, epoch ms, or ''
--       5  target, or '' for the one that it has
--       6  minutes and seconds as windows.lua says; users and sessions are elements, eight bytes each
-- Result {1} when it was applied; else {0, where the fence is, or nil for a partition that was not begun}

local fence = redis.call('HGET', KEYS[1], ARGV[1])
if fence ~= ARGV[2] then
  return { 0, fence }
end

local MOST_DIGITS = 17
local MOST_ELEMENTS = 1000
local WINDOWS = 6

checkInteger(3, MOST_DIGITS)
check(WINDOWS, MOST_DIGITS)

local function addElements(sketch, elements, expiry)
  for first = 1, #elements, 8 * MOST_ELEMENTS do
    local chunk = {}
    for i = first, math.min(#elements, first + 8 * MOST_ELEMENTS - 1), 8 do
      chunk[#chunk + 1] = string.sub(elements, i, i + 7)
    end
    redis.call('PFADD', sketch, unpack(chunk))
  end
  redis.call('EXPIREAT', sketch, expiry)
end

-- What no longer fits into 64 bits goes on in a field of its own: "1r…" after "r…".
local function add(hash, kind, cell, value)
  if value == '0' then return end
  local reply = redis.pcall('HINCRBY', hash, kind .. cell, value)
  local more = 0
  while type(reply) == 'table' and reply.err and string.find(reply.err, 'overflow', 1, true) do
    more = more + 1
    reply = redis.pcall('HINCRBY', hash, more .. kind .. cell, value)
  end
  if type(reply) == 'table' and reply.err then error(reply) end
end

local function nothing() end

-- Sketches first, which may be added to twice: if one of them cannot, nothing has been counted yet.
local now = tonumber(redis.call('TIME')[1])
walk(WINDOWS, function(_, at, users, sessions, expiry)
  if tonumber(expiry) <= now then return end
  if users then addElements(users, ARGV[at + 6], expiry) end
  if sessions then addElements(sessions, ARGV[at + 7], expiry) end
end, nothing, nothing)

write(WINDOWS, function(hash, at)
  local cell = ARGV[at + 1]
  redis.call('HINCRBY', hash, 'e' .. cell, ARGV[at + 2])
  add(hash, 'r', cell, ARGV[at + 3])
  add(hash, 'n', cell, ARGV[at + 4])
  add(hash, 'd', cell, ARGV[at + 5])
end, function(hash, at)
  redis.call('HINCRBY', hash, ARGV[at + 1], ARGV[at + 2])
end)

noteBegun(ARGV[1], ARGV[4], ARGV[5])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 1 }
