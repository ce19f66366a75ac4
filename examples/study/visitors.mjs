// Visitors of the app: they join, answer, show their video and leave, for hours that pass in minutes. What the app says of
// itself meanwhile is written down, once each minute that is played.
//
//   STUDY_HOURS_BACK=48 STUDY_SPEED=600 node visitors.mjs --app http://127.0.0.1:3001 --observations seen.ndjson --hours 48
//
// The app has to be given the same STUDY_ORIGIN_MS, STUDY_HOURS_BACK and STUDY_SPEED.

import { parseArgs } from 'node:util';
import { io } from 'socket.io-client';
import { Clock } from './clock.mjs';
import { Observer } from './observer.mjs';
import { HOUR_MS, visits } from './visits.mjs';

const MINUTE_MS = 60_000;
/** Somebody answers, or shows a frame, so often. */
const ANSWER_EACH_MS = 5 * MINUTE_MS;
const FRAME_BYTES = 32 * 1024;
/** Visitors at the same time: with what they hold all processes together stay below 1.5 GB. */
const PEOPLE_MAX = 48;
/** Nobody visits longer than this, in played hours. */
const HOURS_MAX = 24 * 31;

const { values: given } = parseArgs({
  options: {
    app: { type: 'string', multiple: true, default: ['http://127.0.0.1:3001'] },
    seed: { type: 'string', default: '1' },
    hours: { type: 'string', default: String(HOURS_MAX) },
    observations: { type: 'string' },
    post: { type: 'string' },
  },
});
const clock = Clock.from(process.env);
const hours = Math.min(Number(given.hours), HOURS_MAX);
const frame = Buffer.alloc(FRAME_BYTES, 7);
/** Name -> { socket, role, hasVideo }. */
const here = new Map();

function join({ name, role, hasVideo, room }) {
  if (here.size >= PEOPLE_MAX) return;
  // A room is in one pod as long as it lasts.
  const app = given.app[Number(room.split('-')[1] + room.split('-')[2]) % given.app.length];
  const socket = io(app, { auth: { name, role, video: hasVideo, room }, transports: ['websocket'], forceNew: true });
  here.set(name, { socket, role, hasVideo });
}

function leave({ name }) {
  here.get(name)?.socket.disconnect();
  here.delete(name);
}

/** All who take part answer, and show a frame. */
function takePart() {
  for (const { socket, role, hasVideo } of here.values()) {
    if (role !== 'participant' || !socket.connected) continue;
    socket.emit('answer', 'item-1', 'I am sure of it');
    if (hasVideo) socket.volatile.emit('frame', frame);
  }
}

/** Plays one hour after the other; those who come in one may leave in a later one. */
async function play() {
  const first = Math.floor(clock.now() / HOUR_MS);
  let waiting = [];
  for (let hour = first; hour < first + hours; hour += 1) {
    // An experimenter is there some minutes before the hour.
    const endMs = (hour + 1) * HOUR_MS - 15 * MINUTE_MS;
    waiting = [...waiting, ...visits(Number(given.seed), hour)].sort((one, other) => one.atMs - other.atMs);
    for (; waiting.length > 0 && waiting[0].atMs < endMs; waiting.shift()) {
      await clock.until(waiting[0].atMs);
      (waiting[0].does === 'join' ? join : leave)(waiting[0]);
    }
    await clock.until(endMs);
  }
}

const observer = new Observer(clock, given.app, { file: given.observations, url: given.post });
observer.observe();
clock.every(ANSWER_EACH_MS, takePart);
clock.caughtUp().then(() => observer.end()).then(() => console.log('it is the present'));
await play();
await observer.end();
process.exit(0);
