// What the API takes and answers, as far as the page reads it. `/docs` has all of it.

export type Counts = Record<string, number>;

export interface Span {
  start: string;
  end: string;
}

export interface Slots {
  most: number;
  ready: number;
}

export interface Region {
  name: string;
  pods: number;
  most_pods: number;
  binds: string;
  pod_limit_bytes: number;
  pod_usable_bytes: number;
  available_rooms: Slots;
}

export interface UsedPod {
  pod: string;
  version: string;
  at: string;
  memory_bytes: number | null;
  roles: Counts;
  connections: number | null;
}

export interface Used {
  as_of: string;
  memory_bytes: number | null;
  roles: Counts;
  pods: UsedPod[];
}

export interface Status {
  as_of: string;
  capacity_bytes: number;
  ready_bytes: number;
  available_slots: Record<string, Slots>;
  available_rooms: Slots;
  regions: Region[];
  reservations: Record<string, number>;
  profile: string;
  /** Left out by a server that does not observe. */
  used?: Used | null;
}

export interface Stretch {
  start: string;
  end: string;
  rooms: number;
  people: number;
  p50_bytes: number;
  p95_bytes: number;
  p99_bytes: number;
  reservations: number;
}

export interface Timetable {
  as_of: string;
  from: string;
  until: string;
  capacity_bytes: number;
  ready_bytes: number;
  stretches: Stretch[];
}

export interface Step {
  step: string;
  at: string;
  state: "pending" | "done" | "skipped" | "failed";
  detail: string | null;
}

export interface Reservation {
  id: string;
  state: string;
  owner: string;
  title: string;
  scheduled: Span;
  held: Span;
  series_id: string | null;
  roles: Counts;
  rooms: number;
  region: string | null;
  risk: number;
  hold_until: string | null;
  revision: number;
  timeline?: Step[];
}

export interface ReservationPage {
  reservations: Reservation[];
  next: string | null;
}

export interface Cost {
  amount: string;
  currency: string;
}

export interface Explain {
  why: string;
  binds: string | null;
  peak_instant: string | null;
  held_by: string[];
  held_by_count: number;
  earliest_free_slot: Span | null;
  smaller_count_that_fits: Counts | null;
}

export interface Decision {
  reserved: boolean;
  estimated_cost: Cost;
  scaling_required: boolean;
  capacity_details: { total_bytes: number; available_bytes: number; needed_bytes: number };
  risk: number | null;
  explain: Explain;
  reservation: Reservation;
  occurrences?: Reservation[];
}

/** RFC 9457; where something does not fit it has all of a decision too. */
export interface ProblemBody extends Partial<Decision> {
  title?: string;
  code?: string;
  detail?: string;
  next?: string;
}

export interface ScheduleBody {
  title: string;
  start: string;
  end: string;
  time_zone: string;
  roles: Counts;
  rooms?: number;
  region?: string;
  recurrence?: string;
  may_wait?: boolean;
  hold_minutes?: number;
  dry_run?: boolean;
}

/** Why the data gives no value; `role`, `count`, ... go with some reasons. */
export interface Refusal {
  reason: string;
  count?: number;
  slots?: number;
  role?: string;
  inflation?: number;
  low_mb?: number;
  high_mb?: number;
}

export interface Coefficient {
  mb: number;
  interval_mb: [number, number] | null;
  seen_max: number;
  refused: Refusal | null;
}

export interface Profile {
  app_version: string;
  is_assumed: boolean;
  since: string;
  until: string;
  observations: number;
  base: Coefficient;
  roles: Record<string, Coefficient>;
  connection: Coefficient | null;
  leak_mb_per_hour: number;
  stay: { tau_minutes: number; share: number } | null;
  growth: { mb_per_day: number; low_mb_per_day: number; high_mb_per_day: number; is_leak: boolean; floors: number } | null;
  error_share: number | null;
  history: { app_version: string; since_ms: number; until_ms: number }[];
}

export interface Profiling {
  in_force: string;
  profiles: Profile[];
}

export interface Point {
  at: string;
  pod: string;
  version: string;
  memory_mb: number | null;
  roles: Counts;
  expected_mb: number | null;
  p95_mb: number | null;
}

export interface Scored {
  id: string;
  asked_at: string;
  for: string;
  p50_mb: number;
  p95_mb: number;
  p99_mb: number;
  used_mb: number;
  as_asked: boolean;
}

export interface Accuracy {
  summary: {
    projections: number;
    error_share: number | null;
    bias_mb: number | null;
    covered_p95_share: number | null;
    covered_p99_share: number | null;
    breach_share: number | null;
  } | null;
  open: number;
  missed: number;
  scored: Scored[];
}

export interface Scaling {
  dry_run: boolean;
  via: string | null;
  targets: { region: string; pods: number; pods_now: number; nodes: number | null; for_ids: string[] }[];
  log: { at: string; region: string | null; reservation_id: string | null; step: string | null; outcome: string; detail: string | null }[];
}

export interface Build {
  project: string;
  job: string;
  command: string;
  runs: number;
  last: string | null;
  last_at: string | null;
  mode: string | null;
  peak_bytes: number | null;
  request_bytes: number | null;
  limit_bytes: number | null;
}

export interface Plan {
  id: string;
  made_at: string;
  state: string;
  workloads: number;
  requested_before_bytes: number;
  requested_after_bytes: number;
}

export interface Projection {
  memory_bytes: { p50: number; p95: number; p99: number };
  estimated_cost: Cost | null;
}
