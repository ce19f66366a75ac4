// What a Prometheus, or Plimsoll, can ask of a pod.

import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { ROLES } from './held.mjs';

/** The metrics of a pod of this version. */
export function metrics(study, version, connections) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name, help, collect, labelNames = []) =>
    new Gauge({ name, help, labelNames, registers: [registry], collect });
  const only = (name, help, value) => gauge(name, help, function () { this.set(value()); });

  // The time is played, so the start of the process is too.
  registry.removeSingleMetric('process_start_time_seconds');
  const startSeconds = study.clock.now() / 1000;
  only('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', () => startSeconds);

  gauge('hyperstudy_active_users_online', 'People who are here.', function () {
    this.reset();
    for (const role of ROLES) this.set({ role, video_enabled: 'false' }, 0);
    this.set({ role: 'participant', video_enabled: 'true' }, 0);
    for (const { role, hasVideo } of study.people()) this.inc({ role, video_enabled: String(hasVideo) });
  }, ['role', 'video_enabled']);
  const participants = () => study.people().filter(({ role }) => role === 'participant').length;
  const rooms = () => study.rooms.size;
  const running = () => [...study.rooms.values()].filter(({ people }) =>
    [...people.values()].some(({ role }) => role === 'participant')).length;
  only('hyperstudy_total_participants', 'Participants, and those who may come back.', () => participants() + study.left.size);
  only('hyperstudy_active_participants', 'Participants who are here.', participants);
  only('hyperstudy_active_experiments', 'Rooms with a participant in them.', running);
  only('hyperstudy_rooms', 'Rooms with anybody in them.', rooms);
  only('socket_io_connected', 'Connections of Socket.IO.', connections);
  gauge('hyperstudy_app_info', 'Which app it is.', function () { this.set({ version }, 1); }, ['version']);
  return registry;
}
