// Headless Chromium (Debian's) with everything that needs the outside switched off.
import { chromium } from 'playwright-core';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { build } from './daemon.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

// A page whose console errors, failed requests and exceptions end up in page.problems.
export async function openPage(t, { viewport = { width: 1280, height: 800 }, colorScheme = 'dark' } = {}) {
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  t.after(() => browser.close());
  const context = await browser.newContext({ viewport, colorScheme });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
  return page;
}

// Written beside the build for people to look at.
export async function screenshot(page, name) {
  const dir = path.join(build, 'screenshots');
  mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: path.join(dir, `${name}.png`) });
}
