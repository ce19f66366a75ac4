// Light or dark: as the system has it, or as somebody has chosen here.
import { useState } from "preact/hooks";

const KEY = "plimsoll.theme";
const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

function chosen(): Theme {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === kept) ?? "auto";
}

export function applyTheme(theme: Theme = chosen()): void {
  document.documentElement.dataset["theme"] = theme;
}

export function ThemeSwitch() {
  const [theme, setTheme] = useState(chosen);
  const choose = (next: Theme) => {
    localStorage.setItem(KEY, next);
    applyTheme(next);
    setTheme(next);
  };
  return (
    <fieldset class="switch">
      <legend class="unseen">Colours</legend>
      {THEMES.map((it) => (
        <label key={it}>
          <input type="radio" name="theme" checked={theme === it} onChange={() => choose(it)} />
          <span>{it}</span>
        </label>
      ))}
    </fieldset>
  );
}
