// What one would write by hand: the published formula, in memory. It checks nothing and keeps nothing.
import cluster from "node:cluster";
import express from "express";

const BASE = 100, VIDEO = 15, NO_VIDEO = 8, EXPERIMENTER = 25;

function serve() {
  const app = express();
  const booked = [];
  app.use(express.json());
  app.post("/api/capacity/project", (request, response) => {
    const { expected_participants = 0, experimenters = 0, features = {} } = request.body;
    const each = features.video_streaming ? VIDEO : NO_VIDEO;
    const memory_mb = BASE + each * expected_participants + EXPERIMENTER * experimenters;
    response.json({ memory_mb, memory_bytes: memory_mb * 1e6, as_of: new Date().toISOString() });
  });
  app.post("/api/capacity/schedule", (request, response) => {
    const { start, duration_minutes, expected_participants = 0, experimenters = 0 } = request.body;
    const memory_mb = NO_VIDEO * expected_participants + EXPERIMENTER * experimenters;
    booked.push({ start: Date.parse(start), duration_minutes, memory_mb });
    response.status(201).json({ reserved: true, id: booked.length, memory_mb });
  });
  app.listen(Number(process.env.PORT), "127.0.0.1");
}

const workers = Number(process.env.WORKERS ?? 1);
if (workers > 1 && cluster.isPrimary) {
  for (let at = 0; at < workers; at += 1) cluster.fork();
} else {
  serve();
}
