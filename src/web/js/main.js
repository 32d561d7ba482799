// Entry: one connection, and the page that belongs to the address. Pages are
// fetched when they are needed, so that the first one is there at once.
import { Connection } from './connection.js';
import { timeOfDay } from './format.js';
import { Settings, applyTheme } from './settings.js';
import { LIVE_MODULES, matchRoute } from './router.js';

const ROUTES = [
  { path: '/', load: () => import('./home.js'), page: 'HomePage' },
  { path: '/service/:uuid', load: () => import('./live.js'), page: 'LivePage', css: ['/timing.css', '/replay.css'], fixed: true, modules: LIVE_MODULES },
  { path: '/service/:uuid/analysis', load: () => import('./analysis.js'), page: 'LiveAnalysisPage', css: ['/analysis.css', '/replay.css'] },
  { path: '/recordings', load: () => import('./recordings.js'), page: 'RecordingsPage' },
  { path: '/replay/:id', load: () => import('./replay.js'), page: 'ReplayPage', css: ['/timing.css', '/replay.css'], fixed: true },
  { path: '/replay/:id/analysis', load: () => import('./analysis.js'), page: 'ReplayAnalysisPage', css: ['/analysis.css', '/replay.css'] },
  { path: '/embed/:uuid', load: () => import('./embed.js'), page: 'EmbedPage', css: ['/timing.css'], bare: true, fixed: true },
  { path: '/overlay/:uuid', load: () => import('./embed.js'), page: 'OverlayPage', css: ['/timing.css'], bare: true },
  { path: '/s/:class', load: () => import('./home.js'), page: 'ClassPage' },
];
const STATUS = { connecting: 'Connecting…', connected: 'Connected', disconnected: 'Disconnected – trying again' };

const link = document.getElementById('link');
const holder = document.getElementById('page');
const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
const settings = new Settings();
// What pages get to know of the frame that they are in.
const app = {
  settings,
  status: 'connecting',
  setTitle(text) {
    document.title = text ? `${text} – Live timing` : 'Live timing';
  },
  // Another page, as if its link had been followed. replace: the present address was none to come back to.
  navigate(href, { replace = false } = {}) {
    history[replace ? 'replaceState' : 'pushState'](null, '', href);
    show();
  },
  // The address of what is shown, for sharing and for coming back; the page stays.
  setAddress(href) {
    history.replaceState(history.state, '', href);
  },
};

const connection = new Connection(url, (status) => {
  // "Connecting" after a loss would only flicker: the loss is what matters.
  if (status === 'connecting' && link.dataset.status === 'disconnected') return;
  link.textContent = STATUS[status];
  link.dataset.status = status;
  document.body.classList.toggle('offline', status === 'disconnected');
  app.status = status;
});

function loadStyle(href) {
  if (document.querySelector(`link[rel="stylesheet"][href="${href}"]`)) return null;
  const node = document.createElement('link');
  node.rel = 'stylesheet';
  node.href = href;
  return new Promise((resolve) => {
    node.addEventListener('load', resolve);
    node.addEventListener('error', resolve);
    document.head.append(node);
  });
}

// All at once, instead of each when the one that imports it has come.
function preload(name) {
  const href = `/js/${name}.js`;
  if (document.querySelector(`link[rel="modulepreload"][href="${href}"]`)) return;
  const node = document.createElement('link');
  node.rel = 'modulepreload';
  node.href = href;
  document.head.append(node);
}

let page = null;
let turn = 0; // of navigation: a page that was slow to come is not shown after the next one

class Missing {
  constructor({ text }) {
    this.title = text;
    this.node = document.createElement('section');
    this.node.className = 'home';
    const heading = document.createElement('h1');
    heading.textContent = text;
    const home = document.createElement('a');
    Object.assign(home, { href: '/', textContent: 'To the start page' });
    home.dataset.link = '';
    this.node.append(heading, home);
  }

  destroy() {}
}

async function show() {
  const mine = ++turn;
  const found = matchRoute(ROUTES, location.pathname);
  document.body.classList.toggle('bare', Boolean(found?.route.bare));
  document.body.classList.toggle('fixed', Boolean(found?.route.fixed));
  found?.route.modules?.forEach(preload);
  for (const anchor of document.querySelectorAll('.top nav a')) {
    if (anchor.pathname === location.pathname) anchor.setAttribute('aria-current', 'page');
    else anchor.removeAttribute('aria-current');
  }
  const query = new URLSearchParams(location.search);
  applyTheme(settings, found?.route.bare ? query.get('theme') : null);
  let next;
  try {
    const [module] = found ? await Promise.all([found.route.load(), ...(found.route.css ?? []).map(loadStyle)]) : [];
    if (mine !== turn) return;
    page?.destroy();
    page = null;
    next = found ? new module[found.route.page]({ connection, params: found.params, query, app }) : new Missing({ text: 'There is no such page' });
  } catch (error) {
    if (mine !== turn) return;
    page?.destroy();
    // The daemon is away, or was upgraded under this page.
    next = new Missing({ text: error instanceof TypeError && /import|fetch|module/i.test(error.message) ? 'This page could not be loaded; try again' : 'This page could not be shown' });
    console.error(error);
  }
  page = next;
  if (page.title !== undefined) app.setTitle(page.title);
  holder.replaceChildren(page.node);
}

// Links inside the page change it without a reload; everything else is left to the browser.
document.addEventListener('click', (event) => {
  const anchor = event.target.closest('a[data-link]');
  if (!anchor || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, '', anchor.href);
  show();
  scrollTo(0, 0);
  holder.focus({ preventScroll: true });
});
addEventListener('popstate', show);

for (const query of ['(prefers-color-scheme: light)', '(prefers-contrast: more)']) {
  matchMedia(query).addEventListener('change', () => applyTheme(settings, document.body.classList.contains('bare') ? new URLSearchParams(location.search).get('theme') : null));
}

const clockNode = document.getElementById('clock');
const showClock = () => {
  const text = timeOfDay(Date.now());
  if (clockNode.textContent !== text) clockNode.textContent = text;
};
setInterval(showClock, 250);
showClock();
show();
