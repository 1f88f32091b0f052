local function version(key)
  local head = redis.pcall('GETRANGE', key, 0, 8)
  if type(head) ~= 'string' or #head < 9 then return '' end
  local state = head:byte(1)
  if state ~= 1 and state ~= 2 then return '' end
  return head:sub(2)
end
