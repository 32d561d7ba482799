// Before anything is drawn: the theme that was chosen, else that of the system.
// A classic script, so that the page does not flash in another one; settings.js
// does the same from then on.
{
  let theme = null;
  try {
    ({ theme } = JSON.parse(localStorage.getItem('livetiming') ?? '{}') ?? {});
  } catch {
    // no storage
  }
  const prefers = (what) => matchMedia(`(prefers-${what})`).matches;
  if (!['light', 'dark', 'contrast'].includes(theme)) theme = prefers('contrast: more') ? 'contrast' : prefers('color-scheme: light') ? 'light' : 'dark';
  document.documentElement.dataset.theme = theme;
}
