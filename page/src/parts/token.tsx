// Asks for a token where the API wants one.
import { useRef } from "preact/hooks";
import { Field } from "./field";
import { keepToken, token } from "../api/client";
import { useLive } from "../api/live";

export function TokenForm() {
  const { needsToken, retry } = useLive();
  const field = useRef<HTMLInputElement>(null);
  if (!needsToken) return null;
  const submit = (event: Event) => {
    event.preventDefault();
    const value = field.current?.value.trim();
    if (!value) return;
    keepToken(value);
    retry();
  };
  return (
    <form class="token card" onSubmit={submit} aria-labelledby="token-title">
      <h2 id="token-title">{token() ? "This token is not known here" : "A token is needed here"}</h2>
      <p class="soft">It is kept in this tab until it is closed. Make one with <code>plimsoll serve --new-token NAME --scope reserve</code>.</p>
      <div class="row">
        <Field label="Token" class="field grow">{(id) => <input id={id} ref={field} type="password" autocomplete="off" required />}</Field>
        <button class="primary" type="submit">Use it</button>
      </div>
    </form>
  );
}
