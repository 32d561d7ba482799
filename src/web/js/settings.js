// What the viewer chose, remembered by the browser: theme, columns, pinned cars,
// TV delay. Where nothing can be remembered (a frame without storage) it is
// kept for the page.
const KEY = 'livetiming';

export class Settings {
  constructor(storage) {
    this.listeners = new Set();
    this.values = {};
    try {
      this.storage = storage === undefined ? globalThis.localStorage : storage;
      this.read(this.storage?.getItem(KEY));
    } catch {
      this.storage = null;
    }
    // another window of the same browser
    globalThis.addEventListener?.('storage', ({ key, newValue }) => {
      if (key !== KEY) return;
      this.read(newValue);
      this.tell(null);
    });
  }

  read(text) {
    try {
      const values = JSON.parse(text ?? '{}');
      this.values = typeof values === 'object' && values !== null && !Array.isArray(values) ? values : {};
    } catch {
      this.values = {};
    }
  }

  // The fallback also says of which kind the value is: anything else in the storage is not believed.
  get(name, fallback = null) {
    const value = Object.hasOwn(this.values, name) ? this.values[name] : undefined;
    if (value === undefined || value === null) return fallback;
    if (fallback !== null && (typeof value !== typeof fallback || Array.isArray(value) !== Array.isArray(fallback))) return fallback;
    return value;
  }

  set(name, value) {
    if (value === null) delete this.values[name];
    else this.values[name] = value;
    try {
      this.storage?.setItem(KEY, JSON.stringify(this.values));
    } catch {
      // full or forbidden: kept for the page
    }
    this.tell(name);
  }

  // fn(name); name null: anything may have changed. Returns a function that ends it.
  on(fn) {
    this.listeners.add(fn);
    return () => this.listeners.delete(fn);
  }

  tell(name) {
    for (const fn of [...this.listeners]) fn(name);
  }
}

export const THEMES = ['auto', 'dark', 'light', 'contrast'];

// What "auto" means here and now.
function systemTheme() {
  if (matchMedia('(prefers-contrast: more)').matches) return 'contrast';
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

// forced: a theme that the address asks for (embeds); not remembered.
export function applyTheme(settings, forced = null) {
  const theme = THEMES.includes(forced) ? forced : settings.get('theme', 'auto');
  const root = document.documentElement;
  root.dataset.theme = theme === 'auto' || !THEMES.includes(theme) ? systemTheme() : theme;
  root.classList.toggle('still', settings.get('motion', true) === false);
  root.classList.toggle('no-flash', settings.get('flash', true) === false);
}
