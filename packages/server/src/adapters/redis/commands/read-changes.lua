-- What has changed in one slot group since the revisions that a reader has seen, and how complete it is: read at one
-- moment.
--
-- KEYS  1 fence  2 begun  3 touched  4 touched seconds (see flush.lua)
-- ARGV  1 revision up to which minutes were read, or 'inf' for none  2 the same of seconds
-- Result { run id of the server, or '' where INFO is not allowed,
--          fence: fields and values,  begun: fields and values,
--          minutes: members and revisions,  seconds: members and revisions,
--          the server's time, epoch s }

local info = redis.pcall('INFO', 'server')
local runId = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
return {
  runId,
  redis.call('HGETALL', KEYS[1]),
  redis.call('HGETALL', KEYS[2]),
  redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[1], '+inf', 'WITHSCORES'),
  redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. ARGV[2], '+inf', 'WITHSCORES'),
  redis.call('TIME')[1],
}
