-- Adds what the events [from, to) of a partition add to the windows of one slot group, and moves the partition's fence
-- there from `from` to `to`: all of it or nothing. Everything is checked before the first write, because Redis keeps
-- what a script wrote before it failed.
--
-- KEYS  1  fence: hash, "<log epoch>:<partition>" → offset; "revision" → that of the last change
--       2  begun: hash, "<log epoch>:<partition>" → "<target> <complete from>"
--       3  touched: sorted set, "<project>:<minute>" by the revision of its last change
--       4  touched seconds: the same for seconds
--       …  one after the other, as they are needed: of each minute its hash, then of each of its cells the HyperLogLog
--          of users and that of sessions, where there are any to add; then of each second its hash
-- ARGV  1 "<log epoch>:<partition>"  2 from  3 to  4 complete from, epoch ms, or ''
--       5  number of minutes; of each: its member of touched, its expiry (epoch s), number of cells; of each cell:
--          name of the cell, events, revenue, refunds, refund revenue, users, sessions: integers as text; users and
--          sessions eight bytes each
--       …  number of seconds; of each: its member, its expiry, number of cells; of each cell: name, events
-- Result {1} when it was applied; else {0, where the fence is, or nil for a partition that was not begun}
--
-- A revision is the server's time in µs, made to grow: it stays unique also when Redis loses its last writes.

local fence = redis.call('HGET', KEYS[1], ARGV[1])
if fence ~= ARGV[2] then
  return { 0, fence }
end

local MOST_ELEMENTS = 1000

local function checkInteger(at)
  local value = ARGV[at]
  if #value > 17 or not string.find(value, '^%-?%d+$') then
    error({ err = 'ERR argument ' .. at .. ' of a flush is no integer that fits: ' .. value })
  end
end

-- First walk: what cannot be added must be known before anything is.
redis.call('HLEN', KEYS[2])
redis.call('ZCARD', KEYS[3])
redis.call('ZCARD', KEYS[4])
checkInteger(3)
local key, at = 4, 5
local minutes = tonumber(ARGV[at])
for _ = 1, minutes do
  key = key + 1
  redis.call('HLEN', KEYS[key])
  checkInteger(at + 2)
  local cells = tonumber(ARGV[at + 3])
  at = at + 3
  for _ = 1, cells do
    for i = 2, 5 do
      checkInteger(at + i)
    end
    if #ARGV[at + 6] > 0 then key = key + 1 end
    if #ARGV[at + 7] > 0 then key = key + 1 end
    at = at + 7
  end
end
at = at + 1
local secondsAt = at
for _ = 1, tonumber(ARGV[at]) do
  key = key + 1
  redis.call('HLEN', KEYS[key])
  checkInteger(at + 2)
  local cells = tonumber(ARGV[at + 3])
  at = at + 3
  for _ = 1, cells do
    checkInteger(at + 2)
    at = at + 2
  end
end

local time = redis.call('TIME')
local now = tonumber(time[1])
local revision = now * 1000000 + tonumber(time[2])
local last = tonumber(redis.call('HGET', KEYS[1], 'revision') or '0')
if revision <= last then revision = last + 1 end
local score = string.format('%.0f', revision)

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

-- Second walk: sketches, which may be added to twice. If one of them cannot, nothing has been counted yet.
key, at = 4, 5
for _ = 1, minutes do
  key = key + 1
  local expiry = ARGV[at + 2]
  local isExpired = tonumber(expiry) <= now
  local cells = tonumber(ARGV[at + 3])
  at = at + 3
  for _ = 1, cells do
    for i = 6, 7 do
      local elements = ARGV[at + i]
      if #elements > 0 then
        key = key + 1
        if not isExpired then addElements(KEYS[key], elements, expiry) end
      end
    end
    at = at + 7
  end
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

-- Third walk: counts.
key, at = 4, 5
for _ = 1, minutes do
  key = key + 1
  local hash, member, expiry = KEYS[key], ARGV[at + 1], ARGV[at + 2]
  local isExpired = tonumber(expiry) <= now
  local cells = tonumber(ARGV[at + 3])
  at = at + 3
  for _ = 1, cells do
    local cell = ARGV[at + 1]
    if not isExpired then
      redis.call('HINCRBY', hash, 'e' .. cell, ARGV[at + 2])
      add(hash, 'r', cell, ARGV[at + 3])
      add(hash, 'n', cell, ARGV[at + 4])
      add(hash, 'd', cell, ARGV[at + 5])
    end
    if #ARGV[at + 6] > 0 then key = key + 1 end
    if #ARGV[at + 7] > 0 then key = key + 1 end
    at = at + 7
  end
  if not isExpired then
    redis.call('EXPIREAT', hash, expiry)
    redis.call('ZADD', KEYS[3], score, member)
  end
end
at = secondsAt
local seconds = tonumber(ARGV[at])
for _ = 1, seconds do
  key = key + 1
  local hash, member, expiry = KEYS[key], ARGV[at + 1], ARGV[at + 2]
  local isExpired = tonumber(expiry) <= now
  local cells = tonumber(ARGV[at + 3])
  at = at + 3
  for _ = 1, cells do
    if not isExpired then redis.call('HINCRBY', hash, ARGV[at + 1], ARGV[at + 2]) end
    at = at + 2
  end
  if not isExpired then
    redis.call('EXPIREAT', hash, expiry)
    redis.call('ZADD', KEYS[4], score, member)
  end
end

if minutes + seconds > 0 then
  redis.call('HSET', KEYS[1], 'revision', score)
  -- What was touched so long ago has expired since.
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', revision - 26 * 3600 * 1000000))
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', revision - 60 * 1000000))
end
if ARGV[4] ~= '' then
  local target, from = string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^(%d+) (%d+)$')
  if not target or tonumber(from) < tonumber(ARGV[4]) then
    redis.call('HSET', KEYS[2], ARGV[1], (target or '0') .. ' ' .. ARGV[4])
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 1 }
