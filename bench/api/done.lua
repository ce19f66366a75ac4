-- What was measured, as JSON; put behind each of the others.
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format('MEASURED {"requests":%d,"seconds":%f,"refused":%d,"failed":%d,"p50_ms":%f,"p99_ms":%f}\n',
        summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
