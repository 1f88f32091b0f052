-- bump. KEYS: marker. ARGV: seed. Compared as texts: 63 bits do not fit a double.
local now, seed = redis.call('GET', KEYS[1]), ARGV[1]
local done
if now and (#now > #seed or (#now == #seed and now >= seed)) then
  done = redis.pcall('INCR', KEYS[1])
else
  done = redis.pcall('SET', KEYS[1], seed)
end
if type(done) == 'table' and done.err then redis.call('DEL', KEYS[1]) end
