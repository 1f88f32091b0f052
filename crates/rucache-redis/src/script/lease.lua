-- lease. KEYS: entry, lease. ARGV: version seen or '', token, TTL in ms.
if version(KEYS[1]) ~= ARGV[1] then return 'C' end
local slot = redis.call('GET', KEYS[2])
if slot then return slot:sub(1, 1) == 'N' and slot or 'L' end
redis.call('SET', KEYS[2], 'L' .. ARGV[2], 'PX', ARGV[3])
return 'G'
