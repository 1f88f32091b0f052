-- map_remove. KEYS: hash, zset. ARGV: now, then the members; at most 500.
local now, gone = tonumber(ARGV[1]), 0
for i = 2, #ARGV do
  local was = redis.call('ZSCORE', KEYS[2], ARGV[i])
  if was and tonumber(was) > now then gone = gone + 1 end
  redis.call('ZREM', KEYS[2], ARGV[i])
  redis.call('HDEL', KEYS[1], ARGV[i])
end
return gone
