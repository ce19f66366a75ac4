// The app, one pod of it: people join rooms over Socket.IO, answer, and see each other.
//
//   PORT=3001 POD_NAME=backend-0 node app.mjs

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { Clock } from './clock.mjs';
import { ROLES } from './held.mjs';
import { metrics } from './metrics.mjs';
import { Study } from './study.mjs';

const packageFile = new URL('package.json', import.meta.url);
const version = process.env.APP_VERSION ?? JSON.parse(readFileSync(packageFile, 'utf8')).version;
const podId = process.env.POD_NAME ?? 'backend-0';
/** Longest name and longest message, in bytes; a frame of video is the longest there is. */
const NAME_MAX = 64;
const MESSAGE_MAX = 256 * 1024;

const study = new Study(Clock.from(process.env));
const http = createServer(answer);
const io = new Server(http, { transports: ['websocket'], maxHttpBufferSize: MESSAGE_MAX, serveClient: false });
const registry = metrics(study, version, () => io.engine.clientsCount);

async function answer(request, response) {
  const send = (status, type, text) => response.writeHead(status, { 'content-type': type }).end(text);
  switch (request.url) {
    case '/metrics':
      return send(200, registry.contentType, await registry.metrics());
    case '/health/pod': {
      const pod = { podId, status: 'healthy', rooms: study.rooms.size, participants: study.people().length };
      return send(200, 'application/json', JSON.stringify(pod));
    }
    default:
      return send(404, 'text/plain', 'see /metrics and /health/pod\n');
  }
}

const isName = (text) => typeof text === 'string' && text.length > 0 && text.length <= NAME_MAX;

io.on('connection', (socket) => {
  const { name, role, video, room } = socket.handshake.auth;
  const person = isName(name) && isName(room) && ROLES.includes(role) ? study.join(name, role, video === true, room) : null;
  if (!person) return socket.disconnect(true);
  // Experimenters see all that is answered in their room.
  socket.join(role === 'participant' ? [room] : [room, `${room}/all`]);
  socket.on('answer', (item, text) => {
    if (!isName(item) || !isName(text)) return;
    person.held.answer(study.clock.now(), item, text);
    socket.to(`${room}/all`).emit('answer', name, item, text);
  });
  socket.on('frame', (bytes) => {
    if (!Buffer.isBuffer(bytes)) return;
    person.held.frame(bytes);
    socket.volatile.to(room).emit('frame', name, bytes);
  });
  socket.on('disconnect', () => study.leave(person, room));
});

study.tidy();
study.collect();
http.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
