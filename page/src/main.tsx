// The page begins here.
import { render } from "preact";
import { App } from "./app";
import { applyTheme } from "./parts/theme";

applyTheme();
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("page");
  if (place) render(<App />, place);
});
