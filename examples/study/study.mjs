// The state of one pod: rooms, who is in them, and what stays after they have left.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Held, buffer, records } from './held.mjs';

const MINUTE_MS = 60_000;
/** Who has left may come back for so long, and finds everything as it was. */
const RESUME_MS = 20 * MINUTE_MS;
/** The results of an experiment can be fetched for so long. */
const RESULTS_MS = 60 * MINUTE_MS;
/** What is loaded when the app starts: stimuli, and tables for them. */
const LIBRARY_MB = 35;
const TABLES_MB = 5;
/** Results of an experiment, for each of its people. */
const RESULTS_MB = 0.4;
/** What nobody ever forgets of an experiment: how this app grows. */
const TRAIL_MB = 0.25;
/** V8 collects after some idle seconds. Where time is played it has to be told when that would have been. */
const IDLE_MS = 10 * MINUTE_MS;
/** People in one pod, at most. */
const PEOPLE_MAX = 200;

export class Study {
  constructor(clock) {
    this.clock = clock;
    this.library = buffer(LIBRARY_MB);
    this.tables = records(TABLES_MB);
    /** Name of a room -> { people: name -> person, seen: how many came }. */
    this.rooms = new Map();
    /** Name of a person -> { held, untilMs }. */
    this.left = new Map();
    /** What can still be fetched. */
    this.results = [];
    this.trail = [];
  }

  /** Somebody comes, or comes back; nothing where there is no place for them. */
  join(name, role, hasVideo, roomName) {
    if (this.people().length >= PEOPLE_MAX) return null;
    const room = this.rooms.get(roomName) ?? { people: new Map(), seen: 0 };
    this.rooms.set(roomName, room);
    const back = this.left.get(name)?.held;
    this.left.delete(name);
    if (back && hasVideo) back.watch();
    const person = { name, role, hasVideo, held: back ?? new Held(role, hasVideo) };
    room.people.set(name, person);
    room.seen += 1;
    return person;
  }

  /** They leave. With the last of them the experiment is over. */
  leave(person, roomName) {
    const room = this.rooms.get(roomName);
    if (!room?.people.delete(person.name)) return;
    person.held.relay = null;
    this.left.set(person.name, { held: person.held, untilMs: this.clock.now() + RESUME_MS });
    if (room.people.size > 0) return;
    this.rooms.delete(roomName);
    this.results.push({ bytes: buffer(RESULTS_MB * room.seen), untilMs: this.clock.now() + RESULTS_MS });
    this.trail.push(records(TRAIL_MB));
  }

  /** Lets go of what nobody can come back for, each minute. */
  async tidy() {
    await this.clock.every(MINUTE_MS, () => {
      const nowMs = this.clock.now();
      for (const [name, { untilMs }] of this.left) {
        if (untilMs <= nowMs) this.left.delete(name);
      }
      this.results = this.results.filter(({ untilMs }) => untilMs > nowMs);
    });
  }

  /** Collects what V8 would have collected by then, while time runs faster than V8's. */
  async collect() {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc');
    await this.clock.every(IDLE_MS, () => {
      if (!this.clock.hasCaughtUp()) collectGarbage();
    });
  }

  /** Everybody who is here. */
  people() {
    return [...this.rooms.values()].flatMap((room) => [...room.people.values()]);
  }
}
