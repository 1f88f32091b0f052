-- release. KEYS: lease. ARGV: token, and with a note: note, TTL in ms.
if redis.call('GET', KEYS[1]) ~= 'L' .. ARGV[1] then return 0 end
if ARGV[2] then
  redis.call('SET', KEYS[1], 'N' .. ARGV[2], 'PX', ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return 1
