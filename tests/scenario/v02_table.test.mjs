// What a viewer does with the table, by mouse, keyboard and finger; at desktop and phone size.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Daemon, eventually } from './support/daemon.mjs';
import { openPage, screenshot } from './support/browser.mjs';
import { DESKTOP, PHONE, colSpec, knownState, numbers, publishService } from './support/viewer.mjs';

const daemon = new Daemon();
before(() => daemon.start());
after(() => daemon.destroy());

let count = 0;

async function open(t, { viewport = DESKTOP, state = knownState, ...options } = {}) {
  const uuid = `table${++count}`;
  const page = await openPage(t, { viewport, ...options });
  const service = await publishService(t, daemon, uuid, { state });
  await page.goto(`${daemon.http}/service/${uuid}`);
  await page.locator('table.timing tbody tr').first().waitFor();
  return { page, ...service };
}

const sorted = (page, expected, what) => eventually(async () => (await numbers(page)).join() === expected.join(), what, 60000);

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  test(`a heading sorts its column up and down and then lets go (${size})`, async (t) => {
    const { page } = await open(t, { viewport });
    const gap = page.locator('thead th', { hasText: /^Gap$/ });
    await gap.getByRole('button').click();
    await sorted(page, ['9', '8', '12', '7'], 'the gaps in order');
    assert.equal(await gap.getAttribute('aria-sort'), 'ascending');
    await gap.getByRole('button').click();
    await sorted(page, ['12', '8', '9', '7'], 'the gaps the other way');
    await gap.getByRole('button').click();
    await sorted(page, ['7', '9', '8', '12'], 'the order of the race');
    assert.equal(await gap.getAttribute('aria-sort'), null);
  });

  test(`classes filter the table (${size})`, async (t) => {
    const { page } = await open(t, { viewport });
    await page.getByRole('button', { name: 'GT4', exact: true }).first().click();
    await sorted(page, ['9', '12'], 'one class');
    assert.deepEqual(await page.locator('tbody .pos').allInnerTexts(), ['2', '4']);
    await page.getByRole('button', { name: 'GT3', exact: true }).first().click();
    await sorted(page, ['7', '9', '8', '12'], 'both classes');
  });

  test(`a driver is found, alone when wanted, and the car's details open (${size})`, async (t) => {
    const { page } = await open(t, { viewport });
    await page.getByRole('searchbox').fill('perez');
    await page.getByText('1 car', { exact: true }).waitFor();
    await page.locator('tbody tr.match.selected').waitFor();
    await page.getByRole('button', { name: 'Only these' }).click();
    await sorted(page, ['12'], 'the car alone');
    await page.getByRole('searchbox').press('Enter');
    await page.locator('.car-card h2', { hasText: '12 Zoë Pérez' }).waitFor();
    await page.getByRole('searchbox').press('Escape');
    await sorted(page, ['7', '9', '8', '12'], 'all cars');
    assert.deepEqual(page.problems, []);
  });

  test(`pinned cars are on top, and still after a reload (${size})`, async (t) => {
    const { page } = await open(t, { viewport });
    await page.locator('tbody tr', { hasText: 'Zoë' }).click();
    await page.locator('.car-card').getByRole('button', { name: 'Pin' }).click();
    await sorted(page, ['12', '7', '9', '8'], 'the pinned car on top');
    assert.equal(await page.locator('tbody tr.pinned .pos').textContent(), '4');
    await page.reload();
    await page.locator('tbody tr.pinned').waitFor();
    assert.deepEqual(await numbers(page), ['12', '7', '9', '8']);
  });
}

test('columns are chosen and moved in the dialog, and remembered', async (t) => {
  const { page } = await open(t);
  await page.keyboard.press('c');
  const dialog = page.getByRole('dialog', { name: 'Columns' });
  await dialog.waitFor();
  await dialog.getByRole('checkbox', { name: 'Class', exact: true }).uncheck();
  await dialog.getByRole('button', { name: 'Move Last to the left' }).click();
  await screenshot(page, 'columns');
  await page.keyboard.press('Escape');
  const wanted = ['Pos', 'Num', 'State', 'Driver', 'Laps', 'Last', 'Gap'];
  assert.deepEqual((await page.locator('thead th').allInnerTexts()).slice(1), wanted);
  await page.reload();
  await page.locator('table.timing tbody tr').first().waitFor();
  assert.deepEqual((await page.locator('thead th').allInnerTexts()).slice(1), wanted);

  await page.keyboard.press('c');
  await dialog.getByRole('button', { name: 'As the feed has them' }).click();
  await page.keyboard.press('Escape');
  assert.deepEqual((await page.locator('thead th').allInnerTexts()).slice(1), ['Pos', ...colSpec.map(([title]) => title)]);
});

test('the keyboard alone finds, walks, opens, pins and explains', async (t) => {
  const { page } = await open(t);
  await page.keyboard.press('/');
  await page.keyboard.type('gt3');
  await page.getByText('2 cars', { exact: true }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.locator('tbody tr.selected', { hasText: 'Cem' }).waitFor();
  await page.keyboard.press('ArrowUp');
  await page.locator('tbody tr.selected', { hasText: 'Ana' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('ArrowDown');
  await page.locator('tbody tr.selected', { hasText: 'Ben' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.car-card h2', { hasText: '9 Ben Roth' }).waitFor();
  await page.keyboard.press('f');
  await sorted(page, ['9', '7', '8', '12'], 'the pinned car on top');
  await page.keyboard.press('Escape');
  await page.locator('.car-card').waitFor({ state: 'hidden' });
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+f');
  assert.equal(await page.getByRole('searchbox').evaluate((node) => node === document.activeElement), true);
  assert.deepEqual(page.problems, []);
});

test('messages are filtered by kind and by category; a number in one finds its car', async (t) => {
  const { page } = await open(t);
  const visible = () => page.locator('.message:visible .text').allInnerTexts();
  assert.equal((await visible()).length, 3);
  await page.getByRole('button', { name: 'Pits', exact: true }).click();
  assert.deepEqual(await visible(), ['CAR 7 UNDER INVESTIGATION', 'Safety car deployed']);
  await page.getByRole('combobox', { name: 'Category of messages' }).selectOption('Track');
  assert.deepEqual(await visible(), ['Safety car deployed']);
  await page.reload();
  await page.locator('.message').first().waitFor({ state: 'attached' });
  assert.deepEqual(await visible(), ['CAR 7 UNDER INVESTIGATION', 'Safety car deployed']);
  await page.locator('.message:visible .car-badge').click();
  await page.locator('tbody tr.selected', { hasText: 'Ana' }).waitFor();
});

test('new messages come on top of those that are there, which stay', async (t) => {
  const { page, publish } = await open(t);
  await page.locator('.message').last().evaluate((node) => (node.dataset.mark = 'oldest'));
  await publish({ ...knownState, messages: [[1700000010, 'Track', 'Green flag - track clear', 'green'], ...knownState.messages] });
  await page.locator('.message').nth(3).waitFor();
  assert.equal(await page.locator('.message .text').first().textContent(), 'Green flag - track clear');
  assert.equal(await page.locator('.message').last().getAttribute('data-mark'), 'oldest');
});

test('the theme is that of the system until another is chosen, which is remembered', async (t) => {
  const { page } = await open(t, { colorScheme: 'light' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await screenshot(page, 'light');
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('combobox', { name: 'Theme' }).selectOption('contrast');
  assert.equal(await ground(), 'rgb(0, 0, 0)');
  await page.reload();
  assert.equal(await ground(), 'rgb(0, 0, 0)');
  await screenshot(page, 'contrast');
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('combobox', { name: 'Theme' }).selectOption('auto');
  assert.equal(await ground(), light);
});

// WCAG 2, relative luminance; text that matters has at least 4.5, in high contrast 7.
test('every theme has enough contrast', async (t) => {
  const { page } = await open(t);
  for (const [theme, least] of [['dark', 4.5], ['light', 4.5], ['contrast', 7]]) {
    const ratios = await page.evaluate((name) => {
      document.documentElement.dataset.theme = name;
      const style = getComputedStyle(document.documentElement);
      const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
      const rgb = (variable) => {
        paint.fillStyle = style.getPropertyValue(variable).trim();
        paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
      };
      const light = (variable) => rgb(variable).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const ratio = (a, b) => {
        const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
        return (high + 0.05) / (low + 0.05);
      };
      return ['--text', '--muted', '--pb', '--sb', '--bad', '--accent'].map((variable) => [variable, ratio(variable, '--panel')]);
    }, theme);
    for (const [variable, ratio] of ratios) assert.ok(ratio >= least, `${theme} ${variable}: ${ratio.toFixed(2)}`);
  }
});
