// Who comes when: all of its chance comes from a seed, and each hour has its own, so that any hour can be told by itself.

const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
/** Experiments that begin in an hour of the day and of the night, on average. */
const BY_DAY = 4;
const BY_NIGHT = 0.7;
const MOST_AN_HOUR = 12;

/** Numbers from 0 to 1 that look like chance (splitmix32, by Sebastiano Vigna's splitmix64). */
function chance(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/**
 * What happens by people whose experiments begin in an hour, in the order of time:
 * `{ atMs, does: 'join' or 'leave', name, role, hasVideo, room }`. Hours are counted from 1970, in UTC.
 */
export function visits(seed, hour) {
  const next = chance(Math.imul(seed, 0x85ebca6b) ^ hour);
  const between = (low, high) => low + (high - low) * next();
  const events = [];
  const comes = (room, number, role, hasVideo, fromMs, untilMs) => {
    const person = { name: `${room}-${number}`, role, hasVideo, room };
    events.push({ atMs: fromMs, does: 'join', ...person }, { atMs: untilMs, does: 'leave', ...person });
  };
  for (let number = 0; number < howMany(hour % 24, next); number += 1) {
    const room = `room-${hour}-${number}`;
    const startMs = (hour + next()) * HOUR_MS;
    const endMs = startMs + between(20, 75) * MINUTE_MS;
    const withVideo = next() < 0.55;
    const experimenters = next() < 0.2 ? 2 : 1;
    const participants = Math.floor(between(2, 9));
    let person = 0;
    for (; person < experimenters; person += 1) {
      comes(room, person, 'experimenter', false, startMs - between(2, 10) * MINUTE_MS, endMs + between(1, 15) * MINUTE_MS);
    }
    for (; person < experimenters + participants; person += 1) {
      const fromMs = startMs + between(-2, 4) * MINUTE_MS;
      const untilMs = next() < 0.1 ? between(fromMs, endMs) : endMs + between(0, 2) * MINUTE_MS;
      comes(room, person, 'participant', withVideo && next() < 0.85, fromMs, untilMs);
    }
    if (next() < 0.06) comes(room, person, 'admin', false, startMs, startMs + between(5, 15) * MINUTE_MS);
  }
  return events.sort((one, other) => one.atMs - other.atMs);
}

/** Of Poisson's distribution, which is what comes by itself has (Knuth, TAOCP 2, 3.4.1). */
function howMany(hourOfDay, next) {
  const mean = hourOfDay >= 8 && hourOfDay < 20 ? BY_DAY : BY_NIGHT;
  let count = 0;
  for (let product = next(); product > Math.exp(-mean) && count < MOST_AN_HOUR; product *= next()) count += 1;
  return count;
}
