// A server as people have it after a while: observed, and with reservations in every state.
import { Served } from "./served";

export const CONFIG = `capacity:
  pod_limit: 512Mi
  regions:
  - {name: fra, pods: 2, most_pods: 8, nodes: 2, most_nodes: 4, node_memory: 2Gi}
  - {name: hel, pods: 1, most_pods: 3}
  per_owner: 60
  node_price: {hourly: "0.0893", memory: 8Gi, currency: EUR}
`;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What is booked in a week: weekday from today on, hour, minutes, with video, without, experimenters, rooms. */
const WEEK: [title: string, day: number, hour: number, minutes: number, video: number, plain: number, experimenters: number, rooms: number][] = [
  ["Stroop pilot", 0, 2, 90, 20, 0, 2, 4],
  ["Memory and sleep", 1, 9, 180, 48, 0, 4, 8],
  ["Reading aloud", 1, 11, 120, 30, 0, 3, 0],
  ["Questionnaire B", 1, 14, 240, 0, 90, 1, 0],
  ["Pairs, condition 1", 2, 9, 120, 40, 0, 4, 10],
  ["Pairs, condition 2", 2, 13, 120, 40, 0, 4, 10],
  ["Seminar, first year", 3, 10, 90, 60, 20, 3, 12],
  ["Eye tracking", 3, 15, 120, 16, 0, 4, 4],
  ["Memory and sleep", 4, 9, 180, 48, 0, 4, 8],
  ["Open lab", 5, 12, 300, 20, 30, 2, 0],
];

/** Starts it and fills it through its API. */
export async function demo(): Promise<Served> {
  const served = await Served.start(CONFIG);
  await observe(served);
  // What was observed is learned from at the start.
  await served.again();
  await reserve(served);
  return served;
}

async function reserve(served: Served): Promise<void> {
  const midnight = new Date().setUTCHours(0, 0, 0, 0);
  for (const [title, day, hour, minutes, video, plain, experimenters, rooms] of WEEK) {
    const base = day === 0 ? Math.ceil(Date.now() / HOUR_MS) * HOUR_MS : midnight + day * DAY_MS;
    await served.reserve({
      title, start: new Date(base + hour * HOUR_MS).toISOString(), duration_minutes: minutes, ...(rooms && { rooms }),
      roles: { participant_video: video, participant_no_video: plain, experimenter: experimenters },
    });
  }
  const next = (hours: number) => new Date(Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + hours * HOUR_MS).toISOString();
  await served.reserve({ title: "Running now", start: new Date(Date.now() + 2_000).toISOString(), duration_minutes: 100, roles: { participant_video: 24, experimenter: 2 } });
  await served.reserve({ title: "Held for a class", start: next(30), duration_minutes: 60, roles: { participant_no_video: 25 }, hold_minutes: 45 });
  const all = { participant_video: 150, experimenter: 8 };
  await served.reserve({ title: "Conference demo", start: next(100), duration_minutes: 120, roles: all });
  await served.reserve({ title: "Workshop in parallel", start: next(101), duration_minutes: 120, roles: all, may_wait: true });
  await served.reserve({ title: "Weekly colloquium", start: next(52), duration_minutes: 60, roles: { participant_no_video: 35 }, recurrence: "FREQ=WEEKLY;COUNT=6" });
}

/** Three days of two pods, whose memory follows those in it, with some chance that is the same each time. */
async function observe(served: Served): Promise<void> {
  const end = Math.floor(Date.now() / 300_000) * 300_000;
  let seed = 7;
  const chance = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const observations = ["app-7f9c-a", "app-7f9c-b"].flatMap((pod, which) => {
    const people = { participant_video: 0, participant_no_video: 0, experimenter: 0 };
    return Array.from({ length: 864 }, (_, index) => {
      const at = end - (863 - index) * 300_000;
      const hour = new Date(at).getUTCHours();
      const isBusy = hour >= 8 && hour < 19;
      if (index % 12 === which * 5) {
        people.participant_video = isBusy ? Math.floor(chance() * 14) : 0;
        people.participant_no_video = isBusy ? Math.floor(chance() * 12) : Math.floor(chance() * 2);
        people.experimenter = isBusy ? 1 + Math.floor(chance() * 3) : 0;
      }
      const mb = 104 + 15.4 * people.participant_video + 7.6 * people.participant_no_video + 24 * people.experimenter + chance() * 14;
      return { at: new Date(at).toISOString(), pod, version: "2.4.1", memory_bytes: Math.round(mb * 1e6), roles: { ...people }, uptime_seconds: 3_600 + index * 300 };
    });
  });
  const answer = await served.ask("POST", "/api/capacity/observations", { observations });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
}
