-- delete. KEYS: entry, lease.
local was = version(KEYS[1]) ~= ''
redis.call('DEL', KEYS[1], KEYS[2])
return was and 1 or 0
