-- Sets the fence of a partition that is cold in one slot group; one that is not cold keeps its own.
--
-- KEYS  1  fence: hash, "<log epoch>:<partition>" → offset; "epoch" → that of the log that was begun last
--       2  begun: hash, "<log epoch>:<partition>" → "<target> <complete from>"
-- ARGV  1 "<log epoch>:<partition>"  2 log epoch  3 offset  4 target  5 complete from, epoch ms
-- Result 1 when it was begun, else 0

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[4] .. ' ' .. ARGV[5])
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], ARGV[1], ARGV[3])
return 1
