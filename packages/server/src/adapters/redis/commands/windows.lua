-- What flush.lua and set.lua have in common: it is put before each of them, and is no operation by itself. Both name
-- their minutes and seconds in the same way:
--
-- KEYS  1  fence: hash, "<log epoch>:<partition>" → offset; "revision" → that of the last change
--       2  begun: hash, "<log epoch>:<partition>" → "<target> <complete from>"
--       3  touched: sorted set, "<project>:<minute>" by the revision of its last change
--       4  touched seconds: the same for seconds
--       …  one after the other, as they are needed: of each minute its hash, then of each of its cells the HyperLogLog
--          of users and that of sessions, where the cell has any; then of each second its hash
-- ARGV  …  number of minutes; of each: its member of touched, its expiry (epoch s), number of cells; of each cell:
--          name of the cell, events, revenue, refunds, refund revenue: integers as text; users, sessions: bytes, or ''
--       …  number of seconds; of each: its member, its expiry, number of cells; of each cell: name, events
--
-- Everything is checked before the first write, because Redis keeps what a script wrote before it failed.
--
-- A revision is the server's time in µs, made to grow: it stays unique also when Redis loses its last writes.

local function checkInteger(at, mostDigits)
  local value = ARGV[at]
  if #value > mostDigits or not string.find(value, '^%-?%d+$') then
    error({ err = 'ERR argument ' .. at .. ' is no integer that fits: ' .. value })
  end
end

-- Walks over the minutes and seconds that are named from `at` on. Calls onMinuteCell(hash, at, users, sessions, expiry)
-- and onSecondCell(hash, at, expiry) for each cell, `at` being the place before its name, users and sessions its keys or
-- nil; then onWindow(hash, touched, at, expiry) for the minute or second, `at` being the place before its member.
local function walk(at, onMinuteCell, onSecondCell, onWindow)
  local key = 4
  local function nextKey(bytes)
    if #bytes == 0 then return nil end
    key = key + 1
    return KEYS[key]
  end
  for _ = 1, tonumber(ARGV[at]) do
    key = key + 1
    local hash, window, expiry, cells = KEYS[key], at, ARGV[at + 2], tonumber(ARGV[at + 3])
    at = at + 3
    for _ = 1, cells do
      local users = nextKey(ARGV[at + 6])
      local sessions = nextKey(ARGV[at + 7])
      onMinuteCell(hash, at, users, sessions, expiry)
      at = at + 7
    end
    onWindow(hash, KEYS[3], window, expiry)
  end
  at = at + 1
  for _ = 1, tonumber(ARGV[at]) do
    key = key + 1
    local hash, window, expiry, cells = KEYS[key], at, ARGV[at + 2], tonumber(ARGV[at + 3])
    at = at + 3
    for _ = 1, cells do
      onSecondCell(hash, at, expiry)
      at = at + 2
    end
    onWindow(hash, KEYS[4], window, expiry)
  end
end

-- The first walk: what cannot be written must be known before anything is.
local function check(at, mostDigits)
  redis.call('HLEN', KEYS[2])
  redis.call('ZCARD', KEYS[3])
  redis.call('ZCARD', KEYS[4])
  local function onMinuteCell(_, cell)
    for i = 2, 5 do checkInteger(cell + i, mostDigits) end
  end
  local function onSecondCell(_, cell)
    checkInteger(cell + 2, mostDigits)
  end
  walk(at, onMinuteCell, onSecondCell, function(hash, _, window)
    redis.call('HLEN', hash)
    checkInteger(window + 2, mostDigits)
  end)
end

-- Writes the cells of windows that have not expired, and notes what was touched.
local function write(at, onMinuteCell, onSecondCell)
  local time = redis.call('TIME')
  local now = tonumber(time[1])
  local revision = now * 1000000 + tonumber(time[2])
  local last = tonumber(redis.call('HGET', KEYS[1], 'revision') or '0')
  if revision <= last then revision = last + 1 end
  local score = string.format('%.0f', revision)
  local function unlessExpired(expiry, call, ...)
    if tonumber(expiry) > now then call(...) end
  end
  local isTouched = false
  walk(at, function(hash, cell, users, sessions, expiry)
    unlessExpired(expiry, onMinuteCell, hash, cell, users, sessions, expiry)
  end, function(hash, cell, expiry)
    unlessExpired(expiry, onSecondCell, hash, cell)
  end, function(hash, touched, window, expiry)
    isTouched = true
    unlessExpired(expiry, function()
      redis.call('EXPIREAT', hash, expiry)
      redis.call('ZADD', touched, score, ARGV[window + 1])
    end)
  end)
  if not isTouched then return end
  redis.call('HSET', KEYS[1], 'revision', score)
  -- What was touched so long ago has expired since.
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', revision - 26 * 3600 * 1000000))
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', revision - 60 * 1000000))
end

-- Notes from when on a partition is complete, where that has become later, and its target; each may be ''.
local function noteBegun(partition, completeFrom, newTarget)
  if completeFrom == '' and newTarget == '' then return end
  local target, from = string.match(redis.call('HGET', KEYS[2], partition) or '', '^(%d+) (%d+)$')
  if completeFrom ~= '' and (not from or tonumber(from) < tonumber(completeFrom)) then from = completeFrom end
  if newTarget ~= '' then target = newTarget end
  redis.call('HSET', KEYS[2], partition, (target or '0') .. ' ' .. (from or '0'))
end

