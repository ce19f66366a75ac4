// Numbers, times and names as people read them. MB are 10^6 bytes.
import type { Counts, Refusal, Span } from "../api/shapes";

const LOCALE = "en-GB";

/** Memory in MB below a GB, in GB above: three digits that count. */
export function memory(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return "unknown";
  const mb = bytes / 1e6;
  if (Math.abs(mb) < 999.5) return `${number(mb, Math.abs(mb) < 10 ? 1 : 0)} MB`;
  const gb = mb / 1000;
  return `${number(gb, gb < 10 ? 2 : 1)} GB`;
}

/** A sentence of the server's, with its bytes as people read them. */
export function readable(text: string): string {
  return text.replace(/\b(\d{7,})\b( bytes)?/g, (_, bytes) => memory(Number(bytes)));
}

/** The same, of MB. */
export function megabytes(mb: number | null | undefined): string {
  return memory(mb === null || mb === undefined ? mb : mb * 1e6);
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString(LOCALE, { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

/** A share as per cent: small ones with more digits, as a risk of 0.04 % is not none. */
export function share(of: number | null | undefined): string {
  if (of === null || of === undefined) return "unknown";
  const percent = of * 100;
  const digits = percent !== 0 && Math.abs(percent) < 1 ? 2 : 1;
  return `${number(percent, digits)} %`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

const ROLES: Record<string, [string, string]> = {
  participant_video: ["participant with video", "participants with video"],
  participant_no_video: ["participant without video", "participants without video"],
  experimenter: ["experimenter", "experimenters"],
  admin: ["administrator", "administrators"],
};

/** What people call a role, of so many. */
export function role(name: string, count = 2): string {
  const known = ROLES[name];
  return known ? known[count === 1 ? 0 : 1] : name.replaceAll("_", " ");
}

/** Of each role something, those that everybody has first. */
export function byRole<T>(of: Record<string, T>): [string, T][] {
  const known = Object.keys(ROLES);
  const place = (name: string) => (known.includes(name) ? known.indexOf(name) : known.length);
  return Object.entries(of).sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b));
}

/** "20 participants with video, 2 experimenters" */
export function people(roles: Counts): string {
  const parts = byRole(roles).filter(([, count]) => count > 0);
  return parts.map(([name, count]) => `${number(count)} ${role(name, count)}`).join(", ") || "nobody";
}

export function total(roles: Counts): number {
  return Object.values(roles).reduce((sum, count) => sum + count, 0);
}

function written(at: string | number | Date, options: Intl.DateTimeFormatOptions, zone?: string): string {
  return new Intl.DateTimeFormat(LOCALE, zone ? { ...options, timeZone: zone } : options).format(new Date(at));
}

export function clock(at: string | number | Date, zone?: string): string {
  return written(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, zone);
}

export function day(at: string | number | Date, zone?: string): string {
  return written(at, { weekday: "short", day: "numeric", month: "short" }, zone).replace(",", "");
}

/** As short as it can be told: "Tue 1". */
export function shortDay(at: number, zone: string): string {
  return written(at, { weekday: "short", day: "numeric" }, zone).replace(",", "");
}

export function moment(at: string | number | Date, zone?: string): string {
  return `${day(at, zone)} ${clock(at, zone)}`;
}

/** "Tue 1 Dec 09:00 to 10:30", with the day of the end where it is another. */
export function span(of: Span | { start: number; end: number }, zone?: string): string {
  const isSameDay = day(of.start, zone) === day(of.end, zone);
  return `${moment(of.start, zone)} to ${isSameDay ? clock(of.end, zone) : moment(of.end, zone)}`;
}

/** "45 min", "2 h", "1 h 30 min", "3 d" */
export function length(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes >= 2_880) return plural(Math.round(minutes / 1_440), "day");
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours ? `${hours} h` : "", rest || !hours ? `${rest} min` : ""].filter(Boolean).join(" ");
}

/** Why the data gives a role no value of its own. */
export function refusal(of: Refusal): string {
  switch (of.reason) {
    case "never_seen": return "never seen";
    case "constant": return `always ${number(of.count ?? 0)} of them, so not told from the base`;
    case "too_few": return "seen for less than two hours in another number than usual";
    case "moves_with": return `comes and goes with ${role(of.role ?? "another role")}`;
    case "too_uncertain": return `too uncertain: between ${megabytes(of.low_mb)} and ${megabytes(of.high_mb)}`;
    case "too_few_observations": return "less than two hours were observed in all";
    default: return of.reason.replaceAll("_", " ");
  }
}
