-- expire. KEYS: entry, lease. ARGV: new version.
redis.call('DEL', KEYS[2])
if version(KEYS[1]) == '' then return 0 end
redis.call('SETRANGE', KEYS[1], 0, '\2' .. ARGV[1])
return 1
