// What is asked for: who, when, how often, where.
import type { RefObject } from "preact";
import { useMemo } from "preact/hooks";
import { Field } from "../../parts/field";
import { type Draft, REPEATS, type Repeat, startingAt } from "../../reckon/draft";
import { role } from "../../reckon/format";
import { zones } from "../../reckon/zones";

const ALWAYS = ["participant_video", "participant_no_video", "experimenter"];
const REPEAT_NAMES: Record<Repeat, string> = {
  never: "Once", daily: "Every day", weekdays: "Monday to Friday", weekly: "Every week", fortnightly: "Every two weeks",
};

interface Props {
  draft: Draft;
  onDraft(draft: Draft): void;
  roles: string[];
  regions: string[];
  title: RefObject<HTMLInputElement>;
}

export function Fields({ draft, onDraft, roles, regions, title }: Props) {
  const set = (some: Partial<Draft>) => onDraft({ ...draft, ...some });
  const others = roles.filter((name) => !ALWAYS.includes(name));
  const count = (name: string) => (
    <Count key={name} label={capital(role(name))} value={draft.roles[name] ?? 0}
      onValue={(value) => set({ roles: { ...draft.roles, [name]: value } })} />
  );
  const all = useMemo(zones, []);
  return (
    <div class="fields">
      <Field label="Title">
        {(id) => <input id={id} ref={title} value={draft.title} maxLength={100} placeholder="Pilot of the memory study" onInput={(event) => set({ title: event.currentTarget.value })} />}
      </Field>
      <fieldset>
        <legend>Who comes</legend>
        <div class="counts">
          {ALWAYS.map(count)}
          <Count label="Rooms (0: any)" value={draft.rooms} onValue={(rooms) => set({ rooms })} />
        </div>
        {others.length > 0 && (
          <details open={others.some((name) => (draft.roles[name] ?? 0) > 0)}>
            <summary>Others</summary>
            <div class="counts">{others.map(count)}</div>
          </details>
        )}
      </fieldset>
      <fieldset>
        <legend>When</legend>
        <div class="counts when">
          <Field label="Start">
            {(id) => <input id={id} type="datetime-local" required value={draft.start} onInput={(event) => onDraft(startingAt(draft, event.currentTarget.value))} />}
          </Field>
          <Field label="End">
            {(id) => <input id={id} type="datetime-local" required value={draft.end} onInput={(event) => set({ end: event.currentTarget.value })} />}
          </Field>
          <Field label="Time zone">
            {(id) => (
              <select id={id} value={draft.zone} onChange={(event) => set({ zone: event.currentTarget.value })}>
                {all.map((zone) => <option key={zone} value={zone}>{zone}</option>)}
              </select>
            )}
          </Field>
          <Field label="Repeats">
            {(id) => (
              <select id={id} value={draft.repeat} onChange={(event) => set({ repeat: event.currentTarget.value as Repeat })}>
                {REPEATS.map((it) => <option key={it} value={it}>{REPEAT_NAMES[it]}</option>)}
              </select>
            )}
          </Field>
          {draft.repeat !== "never" && <Count label="How many times" least={1} value={draft.times} onValue={(times) => set({ times })} />}
          {regions.length > 1 && (
            <Field label="Region">
              {(id) => (
                <select id={id} value={draft.region} onChange={(event) => set({ region: event.currentTarget.value })}>
                  <option value="">Any</option>
                  {regions.map((it) => <option key={it} value={it}>{it}</option>)}
                </select>
              )}
            </Field>
          )}
        </div>
      </fieldset>
      <label class="check">
        <input type="checkbox" checked={draft.mayWait} disabled={draft.repeat !== "never"} onChange={(event) => set({ mayWait: event.currentTarget.checked })} />
        It may wait for a place{draft.repeat !== "never" && <span class="soft"> (what repeats cannot)</span>}
      </label>
    </div>
  );
}

/** How many of something. */
function Count({ label, value, least = 0, onValue }: { label: string; value: number; least?: number; onValue(value: number): void }) {
  const take = (text: string) => onValue(Math.min(1_000_000, Math.max(least, Math.floor(Number(text) || 0))));
  return (
    <Field label={label}>
      {(id) => <input id={id} type="number" inputMode="numeric" min={least} step={1} value={value} onInput={(event) => take(event.currentTarget.value)} />}
    </Field>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
