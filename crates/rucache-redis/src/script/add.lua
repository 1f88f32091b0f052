-- add. KEYS: counter. ARGV: delta, TTL in ms. Numbers never pass through Lua, whose doubles lose them.
redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1])
