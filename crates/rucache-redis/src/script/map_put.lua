-- map_put. KEYS: hash, zset. ARGV: now, then member, expiry, note for each; at most 500 members.
local now, new = tonumber(ARGV[1]), 0
for i = 2, #ARGV, 3 do
  local was = redis.call('ZSCORE', KEYS[2], ARGV[i])
  if not was or tonumber(was) <= now then new = new + 1 end
  redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i])
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] .. ':' .. ARGV[i + 2])
end
return new
