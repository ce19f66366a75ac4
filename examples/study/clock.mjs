// The time that is played: it begins in the past and runs fast until it has caught up with the present, then it is the
// present. All processes of one play are given the same three numbers, so that they agree on it.

const HOUR_MS = 3_600_000;
/** The longest that a timer can wait. */
const WAIT_MS_MAX = 2 ** 31 - 1;

export class Clock {
  /**
   * @param {number} originMs when the play began, by the real clock
   * @param {number} beginMs which time it was in the play then
   * @param {number} speed how many times as fast as real time it runs until it has caught up
   */
  constructor(originMs, beginMs, speed) {
    Object.assign(this, { originMs, beginMs, speed });
  }

  /** STUDY_ORIGIN_MS (now), STUDY_HOURS_BACK (0) and STUDY_SPEED (1: as fast as real time; 60: a minute a second). */
  static from(env) {
    const originMs = Number(env.STUDY_ORIGIN_MS ?? Date.now());
    const hoursBack = Number(env.STUDY_HOURS_BACK ?? 0);
    const speed = Number(env.STUDY_SPEED ?? 1);
    if (!(originMs > 0 && hoursBack >= 0 && speed >= 1)) {
      throw new Error('STUDY_ORIGIN_MS, STUDY_HOURS_BACK or STUDY_SPEED: not a number that makes sense');
    }
    return new Clock(originMs, originMs - hoursBack * HOUR_MS, speed);
  }

  /** Milliseconds since 1970. */
  now() {
    const realMs = Date.now();
    return Math.min(realMs, this.beginMs + (realMs - this.originMs) * this.speed);
  }

  /** Whether it is the present. */
  hasCaughtUp() {
    return this.now() >= Date.now();
  }

  /** Waits until it is the present. */
  async caughtUp() {
    if (!this.hasCaughtUp()) await this.until(this.originMs + (this.originMs - this.beginMs) / (this.speed - 1));
  }

  /** Waits until it is so late. */
  async until(atMs) {
    for (let left = this.#realMs(atMs) - Date.now(); left > 0; left = this.#realMs(atMs) - Date.now()) {
      await new Promise((done) => setTimeout(done, Math.min(left, WAIT_MS_MAX)));
    }
  }

  /** Does something again and again, with so much time in between. */
  async every(spanMs, act) {
    for (let atMs = this.now() + spanMs; ; atMs = Math.max(atMs + spanMs, this.now())) {
      await this.until(atMs);
      await act();
    }
  }

  /** When it will be so late, by the real clock. */
  #realMs(atMs) {
    return Math.max(atMs, this.originMs + (atMs - this.beginMs) / this.speed);
  }
}
