// A control and what it is called. Not one inside of the other: what a list offers would be read as part of its name.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Props {
  label: string;
  class?: string;
  children: (id: string) => ComponentChildren;
}

export function Field({ label, class: kind = "field", children }: Props) {
  const id = useId();
  return (
    <div class={kind}>
      <label for={id}>{label}</label>
      {children(id)}
    </div>
  );
}
