-- Reserves for experiments of five, one after the other from the day after tomorrow on: each thread in minutes of its own.
-- FIRST is where it begins, in steps of STEP seconds.
local first, step = tonumber(os.getenv("FIRST")), tonumber(os.getenv("STEP"))
local begin = math.floor(os.time() / 86400) * 86400 + 2 * 86400
local threads, at = 0, 0

setup = function(thread)
    thread:set("number", threads)
    threads = threads + 1
end

request = function()
    local start = begin + (first + 2 * at + number) * step
    at = at + 1
    local body = string.format(
        '{"title":"pilot","start":"%s","duration_minutes":60,"expected_participants":5,"experimenters":1}',
        os.date("!%Y-%m-%dT%H:%M:%SZ", start))
    return wrk.format("POST", "/api/capacity/schedule", {["Content-Type"] = "application/json"}, body)
end
