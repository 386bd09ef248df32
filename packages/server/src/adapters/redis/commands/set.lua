-- Sets what the rows [from, to) of a partition of windows say that were counted elsewhere, in one slot group, and moves
-- the partition's fence there from `from` to `to`: all of it or nothing. Everything is checked before the first write,
-- because Redis keeps what a script wrote before it failed. See flush.lua, which adds instead.
--
-- KEYS  1  fence: hash, "<log epoch>:<partition>" → offset; "revision" → that of the last change
--       2  begun: hash, "<log epoch>:<partition>" → "<target> <complete from>"
--       3  touched: sorted set, "<project>:<minute>" by the revision of its last change
--       4  touched seconds: the same for seconds
--       …  one after the other, as they are needed: of each minute its hash, then of each of its cells the HyperLogLog
--          of users and that of sessions, where there are any; then of each second its hash
-- ARGV  1 "<log epoch>:<partition>"  2 from  3 to  4 complete from, epoch ms, or ''  5 target, or ''
--       6  number of fences that are reached; of each: "<log epoch>:<partition>", offset
--       …  number of minutes; of each: its member of touched, its expiry (epoch s), number of cells; of each cell:
--          name of the cell, events, revenue, refunds, refund revenue: integers as text; users, sessions: values of a
--          HyperLogLog, or ''
--       …  number of seconds; of each: its member, its expiry, number of cells; of each cell: name, events
-- Result {1} when it was applied; else {0, where the fence is, or nil for a partition that was not begun}

local fence = redis.call('HGET', KEYS[1], ARGV[1])
if fence ~= ARGV[2] then
  return { 0, fence }
end

local function checkInteger(at)
  if #ARGV[at] > 40 or not string.find(ARGV[at], '^%-?%d+$') then
    error({ err = 'ERR argument ' .. at .. ' of a set is no integer: ' .. ARGV[at] })
  end
end

-- First walk: what cannot be set must be known before anything is.
redis.call('HLEN', KEYS[2])
redis.call('ZCARD', KEYS[3])
redis.call('ZCARD', KEYS[4])
checkInteger(3)
local reached = tonumber(ARGV[6])
for i = 1, reached do checkInteger(6 + 2 * i) end
local minutesAt = 7 + 2 * reached
local key, at = 4, minutesAt
local minutes = tonumber(ARGV[at])
for _ = 1, minutes do
  key = key + 1
  redis.call('HLEN', KEYS[key])
  checkInteger(at + 2)
  local cells = tonumber(ARGV[at + 3])
  at = at + 3
  for _ = 1, cells do
    for i = 2, 5 do checkInteger(at + i) end
    if #ARGV[at + 6] > 0 then key = key + 1 end
    if #ARGV[at + 7] > 0 then key = key + 1 end
    at = at + 7
  end
end
at = at + 1
local secondsAt = at
local seconds = tonumber(ARGV[at])
for _ = 1, seconds do
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

-- A sum of zero has no field.
local function put(hash, field, value)
  if value == '0' then redis.call('HDEL', hash, field) else redis.call('HSET', hash, field, value) end
end

-- Second walk: windows that have not expired yet.
key, at = 4, minutesAt
for _ = 1, minutes do
  key = key + 1
  local hash, member, expiry = KEYS[key], ARGV[at + 1], ARGV[at + 2]
  local isExpired = tonumber(expiry) <= now
  local cells = tonumber(ARGV[at + 3])
  at = at + 3
  for _ = 1, cells do
    local cell = ARGV[at + 1]
    if not isExpired then
      redis.call('HSET', hash, 'e' .. cell, ARGV[at + 2])
      put(hash, 'r' .. cell, ARGV[at + 3])
      put(hash, 'n' .. cell, ARGV[at + 4])
      put(hash, 'd' .. cell, ARGV[at + 5])
    end
    for i = 6, 7 do
      if #ARGV[at + i] > 0 then
        key = key + 1
        if not isExpired then redis.call('SET', KEYS[key], ARGV[at + i], 'EXAT', expiry) end
      end
    end
    at = at + 7
  end
  if not isExpired then
    redis.call('EXPIREAT', hash, expiry)
    redis.call('ZADD', KEYS[3], score, member)
  end
end
at = secondsAt
for _ = 1, seconds do
  key = key + 1
  local hash, member, expiry = KEYS[key], ARGV[at + 1], ARGV[at + 2]
  local isExpired = tonumber(expiry) <= now
  local cells = tonumber(ARGV[at + 3])
  at = at + 3
  for _ = 1, cells do
    if not isExpired then redis.call('HSET', hash, ARGV[at + 1], ARGV[at + 2]) end
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
if ARGV[4] ~= '' or ARGV[5] ~= '' then
  local target, from = string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^(%d+) (%d+)$')
  if not from or (ARGV[4] ~= '' and tonumber(from) < tonumber(ARGV[4])) then
    from = ARGV[4] ~= '' and ARGV[4] or '0'
  end
  if ARGV[5] ~= '' then target = ARGV[5] end
  redis.call('HSET', KEYS[2], ARGV[1], (target or '0') .. ' ' .. from)
end
for i = 1, reached do
  redis.call('HSET', KEYS[1], ARGV[5 + 2 * i], ARGV[6 + 2 * i])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 1 }
