// What people hold in memory: real buffers and real objects, as many as an app of this kind has for them.

const MB = 1_000_000;
/** What V8 takes for one record, in bytes, measured. */
const RECORD_BYTES = 128;

/**
 * What one person holds, in MB. `buffers` and `records` stay while they may come back; the relay of their video is given
 * up as soon as they leave.
 */
const HOLDS = {
  participant: { buffers: 6.5, records: 1.5 },
  experimenter: { buffers: 22, records: 3 },
  admin: { buffers: 26, records: 4 },
};
const RELAY_MB = 7;

export const ROLES = Object.keys(HOLDS);

/** Bytes that are there: the kernel gives no memory for zeros that nobody wrote. */
export function buffer(mb) {
  return Buffer.allocUnsafeSlow(mb * MB).fill(1);
}

/** Objects that a heap has to be walked for. */
export function records(mb) {
  return Array.from({ length: (mb * MB) / RECORD_BYTES }, (_, index) => ({
    at: index + 0.5,
    item: `item-${index % 40}`,
    answer: `answer ${index}`,
  }));
}

/** What a person holds while they are in a room, and for a while after. */
export class Held {
  constructor(role, hasVideo) {
    const { buffers, records: objects } = HOLDS[role];
    this.buffer = buffer(buffers);
    this.records = records(objects);
    this.written = 0;
    this.relay = null;
    if (hasVideo) this.watch();
  }

  /** Their video begins. */
  watch() {
    this.relay = buffer(RELAY_MB);
    this.relayed = 0;
  }

  /** A frame of it takes the place of the oldest. */
  frame(bytes) {
    if (!this.relay || bytes.length > this.relay.length) return;
    if (this.relayed + bytes.length > this.relay.length) this.relayed = 0;
    this.relayed += bytes.copy(this.relay, this.relayed);
  }

  /** An answer takes the place of the oldest. */
  answer(atMs, item, answer) {
    this.records[this.written % this.records.length] = { at: atMs, item, answer };
    this.written += 1;
  }
}
