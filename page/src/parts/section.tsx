// A part of the page, with a heading that can be linked to.
import type { ComponentChildren } from "preact";

interface Props {
  id: string;
  title: string;
  /** Beside the heading. */
  aside?: ComponentChildren;
  children: ComponentChildren;
}

export function Section({ id, title, aside, children }: Props) {
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <div class="heading">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside && <div class="aside">{aside}</div>}
      </div>
      {children}
    </section>
  );
}

interface CardProps {
  title: string;
  class?: string;
  children: ComponentChildren;
}

export function Card({ title, class: more = "", children }: CardProps) {
  return (
    <div class={`card ${more}`}>
      <h3>{title}</h3>
      {children}
    </div>
  );
}

/** A number that is looked for first. */
export function Stat({ name, value, more }: { name: string; value: ComponentChildren; more?: ComponentChildren }) {
  return (
    <div class="stat">
      <dt>{name}</dt>
      <dd><span class="value">{value}</span>{more && <span class="soft">{more}</span>}</dd>
    </div>
  );
}
