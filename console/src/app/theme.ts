/** Light or dark: the system's choice until the reader makes one, which this browser keeps. */
export type Theme = "light" | "dark";

const KEY = "brightrun.theme";
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

export function currentTheme(): Theme {
  const chosen = localStorage.getItem(KEY);
  if (chosen === "light" || chosen === "dark") return chosen;
  return prefersDark.matches ? "dark" : "light";
}

function apply(): void {
  document.documentElement.dataset.theme = currentTheme();
}

/** Apply the theme, and follow the system's while nothing is chosen. */
export function startTheme(): void {
  apply();
  prefersDark.addEventListener("change", apply);
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  apply();
}
