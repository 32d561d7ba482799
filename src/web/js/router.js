// Addresses of the page, and what shows them. Pure: no document.

// What the live page consists of; a test keeps it true.
export const LIVE_MODULES = [
  'access', 'car_card', 'classes', 'columns', 'delay', 'delta', 'dialogs', 'dom',
  'find', 'home', 'lap_tracker', 'live', 'messages', 'patch', 'player', 'scrubber',
  'session_bar', 'table', 'timeline', 'timeline_live', 'timeline_marks', 'timing_view',
];

// path: parts with ':' are parameters. load: the module, fetched when it is needed.
export function matchRoute(routes, pathname) {
  const parts = pathname.split('/').filter(Boolean);
  for (const route of routes) {
    const wanted = route.path.split('/').filter(Boolean);
    if (wanted.length !== parts.length) continue;
    const params = {};
    const fits = wanted.every((part, i) => {
      if (!part.startsWith(':')) return part === parts[i];
      try {
        params[part.slice(1)] = decodeURIComponent(parts[i]);
      } catch {
        return false; // a stray %
      }
      return true;
    });
    if (fits) return { route, params };
  }
  return null;
}

// The service that /s/CLASS means: running, of this class, the newest of several; ignoring case.
export function serviceOfClass(manifests, serviceClass) {
  const wanted = serviceClass.toLowerCase();
  const fits = manifests.filter((manifest) => !manifest?.hidden && String(manifest?.serviceClass ?? '').toLowerCase() === wanted);
  return fits[fits.length - 1] ?? null;
}
