-- KEYS[1]: the code's key. ARGV: the presented proof, the attempt's ticket, its time, each as a record has it.
-- Returns {1, record before} if this ticket marks it, {0, record} if nothing was changed, -1 if the value is no record,
-- nil if there is none.
local refused = replica_error(KEYS[1])
if refused then
    return refused
end
local record = redis.pcall('GET', KEYS[1])
if type(record) ~= 'string' then
    return record -- none, or the error of a key of another type
end
local found = fields(string.sub(record, 1, 149), #record)
if not found then
    return -1
end
local mark
if found.ticket == ARGV[2] then
    -- Sent twice. Written again as it is, so that a WAIT that follows has a write to wait for.
    mark = found.mark
elseif found.mark == NOBODY and found.proof == ARGV[1] then
    mark = ARGV[2] .. ' ' .. ARGV[3]
else
    return {0, record}
end
-- Keeps the time to live, and does not touch the grant.
local written = redis.pcall('SETRANGE', KEYS[1], 95, mark)
if type(written) == 'table' then
    return written -- out of memory, or too few replicas: nothing was changed
end
return {1, record}
