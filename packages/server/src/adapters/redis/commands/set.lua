-- Sets what the rows [from, to) of a partition of windows say that were counted elsewhere, in one slot group, and moves
-- the partition's fence there from `from` to `to`: all of it or nothing. Begins with windows.lua; see flush.lua, which
-- adds instead.
--
-- KEYS  as windows.lua says
-- ARGV  1 "<log epoch>:<partition>"  2 from  3 to  4 complete from, epoch ms, or ''  5 target, or ''
--       6  number of fences that are reached; of each: "<log epoch>:<partition>", offset
--       …  minutes and seconds as windows.lua says; users and sessions are values of a HyperLogLog
-- Result {1} when it was applied; else {0, where the fence is, or nil for a partition that was not begun}

local fence = redis.call('HGET', KEYS[1], ARGV[1])
if fence ~= ARGV[2] then
  return { 0, fence }
end

local MOST_DIGITS = 40

checkInteger(3, MOST_DIGITS)
local reached = tonumber(ARGV[6])
for i = 1, reached do checkInteger(6 + 2 * i, MOST_DIGITS) end
local windows = 7 + 2 * reached
check(windows, MOST_DIGITS)

-- A sum of zero has no field.
local function put(hash, field, value)
  if value == '0' then redis.call('HDEL', hash, field) else redis.call('HSET', hash, field, value) end
end

write(windows, function(hash, at, users, sessions, expiry)
  local cell = ARGV[at + 1]
  redis.call('HSET', hash, 'e' .. cell, ARGV[at + 2])
  put(hash, 'r' .. cell, ARGV[at + 3])
  put(hash, 'n' .. cell, ARGV[at + 4])
  put(hash, 'd' .. cell, ARGV[at + 5])
  if users then redis.call('SET', users, ARGV[at + 6], 'EXAT', expiry) end
  if sessions then redis.call('SET', sessions, ARGV[at + 7], 'EXAT', expiry) end
end, function(hash, at)
  redis.call('HSET', hash, ARGV[at + 1], ARGV[at + 2])
end)

noteBegun(ARGV[1], ARGV[4], ARGV[5])
for i = 1, reached do
  redis.call('HSET', KEYS[1], ARGV[5 + 2 * i], ARGV[6 + 2 * i])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 1 }
