-- The error of a replica, or nil. A replica may have missed what the master wrote, so nothing that it holds is returned.
-- It writes nothing; it only finds out whether a write would be rejected.
local function replica_error(key)
    local reply = redis.pcall('SETRANGE', key, 0, '')
    if type(reply) == 'table' and string.find(reply.err, 'READONLY', 1, true) then
        return reply
    end
    return nil
end

local NOBODY = string.rep('-', 32) .. ' ' .. string.rep('-', 20)

-- Whether a time of 20 digits plus some milliseconds is a 64-bit number. Numbers here have 53 bits: two halves.
local function fits(time, after)
    local high, low = tonumber(string.sub(time, 1, 10)), tonumber(string.sub(time, 11)) + after
    if low >= 10000000000 then
        high, low = high + 1, low - 10000000000
    end
    return high < 1844674407 or (high == 1844674407 and low <= 3709551615)
end

-- The fields of a record's header, or nil if it is none. The whole value has this many bytes.
local function fields(header, bytes)
    local method, proof, issued, life, grant, ticket, at, rest = string.match(header,
        '^pkce1 (%w+) +([%w_-]+) (%d+) (%d+) ([%d-]+) ([0-9a-f-]+) ([%d-]+)\n()')
    if rest ~= 150 or #proof ~= 43 or #issued ~= 20 or #life ~= 6 or #grant ~= 10 or #ticket ~= 32 or #at ~= 20 then
        return nil
    end
    if method == 'none' and proof ~= string.rep('-', 43) then
        return nil
    end
    -- The last character of 32 bytes in base64url has two bits that are zero.
    if method ~= 'none' and not string.find(proof, '[AEIMQUYcgkosw048]$') then
        return nil
    end
    if method ~= 'S256' and method ~= 'plain' and method ~= 'none' then
        return nil
    end
    if tonumber(life) < 1 or tonumber(life) > 600000 then
        return nil
    end
    if not fits(issued, tonumber(life)) then
        return nil
    end
    if grant ~= string.rep('-', 10) and not string.find(grant, '^%d+$') then
        return nil
    end
    if bytes ~= 149 + (tonumber(grant) or 0) then
        return nil
    end
    local mark = ticket .. ' ' .. at
    if mark ~= NOBODY and (string.find(mark, '-', 1, true) or not fits(at, 0)) then
        return nil
    end
    return { proof = proof, ticket = ticket, mark = mark }
end

