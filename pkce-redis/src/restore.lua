-- KEYS[1]: the code's key. ARGV[1]: the ticket whose redemption is taken back.
-- Returns 1 if it was, 0 if there is none, -1 if the value is no record.
local refused = replica_error(KEYS[1])
if refused then
    return refused
end
local header = redis.pcall('GETRANGE', KEYS[1], 0, 148)
if type(header) ~= 'string' then
    return header
end
if header == '' and redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
local found = fields(header, redis.call('STRLEN', KEYS[1]))
if not found then
    return -1
end
if found.ticket ~= ARGV[1] then
    return 0
end
local written = redis.pcall('SETRANGE', KEYS[1], 95, NOBODY)
if type(written) == 'table' then
    return written
end
return 1
