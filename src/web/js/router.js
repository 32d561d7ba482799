// Addresses of the page, and what shows them. Pure: no document.

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
