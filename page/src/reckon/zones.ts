// Wall clocks of time zones, as `2026-12-01T09:00`, and the moments they show.

interface Wall {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
}

/** Zones that the browser knows, this one first. */
export function zones(): string[] {
  const here = localZone();
  const all = Intl.supportedValuesOf("timeZone");
  return [here, ...all.filter((zone) => zone !== here)];
}

export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

export function isZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en-GB", { timeZone: name })) && name !== "";
  } catch {
    return false;
  }
}

/** What a clock on the wall shows at a moment. */
export function wallAt(atMs: number, zone: string): string {
  const { year, month, day, hour, minute } = parts(atMs, zone);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}

/**
 * When a clock on the wall shows this; `null` where it is no time. Where a clock shows it twice it is the first time, where it is
 * passed over as much later, as RFC 5545 and the server have it.
 */
export function momentOf(wall: string, zone: string): number | null {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(wall);
  if (!found || !isZone(zone)) return null;
  const [year, month, day, hour, minute] = found.slice(1).map(Number) as [number, number, number, number, number];
  const asUtc = Date.UTC(year, month - 1, day, hour, minute);
  // The offset a day before and a day after: between them lies at most one change.
  const before = offset(asUtc - 86_400_000, zone);
  const after = offset(asUtc + 86_400_000, zone);
  const candidates = [asUtc - before, asUtc - after].filter((at) => wallAt(at, zone) === wall.slice(0, 16));
  return candidates.length > 0 ? Math.min(...candidates) : asUtc - before;
}

/** Midnight of the day, so many days on. Days are as long as the zone has them. */
export function midnight(atMs: number, zone: string, days = 0): number {
  const { year, month, day } = parts(atMs, zone);
  const on = new Date(Date.UTC(year, month - 1, day + days));
  return momentOf(`${on.toISOString().slice(0, 10)}T00:00`, zone) ?? atMs;
}

/** 0 is Monday. */
export function weekday(atMs: number, zone: string): number {
  const { year, month, day } = parts(atMs, zone);
  return (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7;
}

function offset(atMs: number, zone: string): number {
  const { year, month, day, hour, minute } = parts(atMs, zone);
  return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(atMs / 60_000) * 60_000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function parts(atMs: number, zone: string): Wall {
  let format = formats.get(zone);
  if (!format) {
    const numeric = "numeric" as const;
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  const found = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  return found as unknown as Wall;
}
