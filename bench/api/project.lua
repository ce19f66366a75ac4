-- Asks for projections of experiments of many sizes.
local at = 0

request = function()
    at = at + 1
    local body = string.format(
        '{"expected_participants":%d,"features":{"video_streaming":true},"experimenters":%d,"expected_duration_minutes":60}',
        1 + at % 60, at % 4)
    return wrk.format("POST", "/api/capacity/project", {["Content-Type"] = "application/json"}, body)
end
