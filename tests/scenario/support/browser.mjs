// Headless Chromium (Debian's) with everything that needs the outside switched
// off. One browser for a test file, a context of its own for each page.
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { build } from './daemon.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const WAIT_MS = 60000; // CI runs three files at once under sanitizers
let launched = null;

after(async () => (await launched)?.close());

function browser() {
  launched ??= chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  return launched;
}

// A page whose console errors, failed requests and exceptions end up in page.problems.
export async function openPage(t, { viewport = { width: 1280, height: 800 }, colorScheme = 'dark', ...options } = {}) {
  const context = await (await browser()).newContext({ viewport, colorScheme, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.setDefaultNavigationTimeout(WAIT_MS);
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => {
    // "Not recorded (yet)" is an answer; the browser notes every 404.
    if (message.type() === 'error' && !message.location().url?.includes('/timeline/')) page.problems.push(message.text());
  });
  return page;
}

// Written beside the build for people to look at.
export async function screenshot(page, name) {
  const dir = path.join(build, 'screenshots');
  mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: path.join(dir, `${name}.png`) });
}
