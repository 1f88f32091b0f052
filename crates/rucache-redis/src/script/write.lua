-- write. KEYS: entry, lease. ARGV: always|absent|version|lease, version or token, entry, TTL in ms.
local when = ARGV[1]
if when == 'absent' and version(KEYS[1]) ~= '' then return 0 end
if when == 'version' and version(KEYS[1]) ~= ARGV[2] then return 0 end
if when == 'lease' and redis.call('GET', KEYS[2]) ~= 'L' .. ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('DEL', KEYS[2])
return 1
