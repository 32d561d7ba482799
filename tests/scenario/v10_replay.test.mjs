// Replays in the browser: a recording whose every state is known, opened from the daemon.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { openPage, screenshot } from './support/browser.mjs';
import { Daemon, eventually, sharedDir } from './support/daemon.mjs';
import { FRAME_S, LENGTH, START, stateAt, writeRace } from './support/race.mjs';
import { DESKTOP, PHONE } from './support/viewer.mjs';

const daemon = new Daemon({ env: { LIVETIMING_SERVICES: '' } });
const golden = path.join(sharedDir, 'golden/s22-club-14x12m');
const EVIL = '<img src=x onerror="document.title=1">';
before(async () => {
  const folder = daemon.env.LIVETIMING_RECORDINGS_DIR;
  mkdirSync(folder, { recursive: true });
  writeRace(path.join(folder, 'club.zip'));
  writeRace(path.join(folder, 'evil.zip'), { name: EVIL, description: EVIL });
  writeFileSync(path.join(folder, 'broken.zip'), 'this is no archive');
  if (existsSync(golden)) writeFileSync(path.join(folder, 'golden.zip'), readFileSync(path.join(golden, 'recording.zip')));
  await daemon.start();
  const isThere = async (id) => (await fetch(`${daemon.http}/timeline/recordings/${id}/moments.json`)).status === 200;
  await eventually(async () => (await isThere('club')) && isThere('evil'), 'the recordings', 60000);
});
after(() => daemon.destroy());

async function openReplay(t, query = '', options = {}, id = 'club') {
  const page = await openPage(t, options);
  await page.goto(`${daemon.http}/replay/${id}${query}`);
  await page.locator('table.timing tbody tr').first().waitFor();
  return page;
}

const moment = async (page) => Number(await page.locator('.scrub-track').getAttribute('aria-valuenow'));
const reaches = (page, check, what) => eventually(async () => check(await moment(page)), what, 60000);

// What the table has of the state of a moment.
async function rowsOf(page) {
  return page.locator('table.timing tbody tr').evaluateAll((all) => all.map((row) => row.querySelector('.num').textContent));
}
const showsStateOf = (page, seconds) => eventually(async () => {
  assert.deepEqual(await rowsOf(page), stateAt(seconds).cars.map(([num]) => num));
  return (await page.locator('table.timing tbody tr').first().textContent()).includes(String(stateAt(seconds).cars[0][5]));
}, `the state of ${seconds} s`, 60000);

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  test(`a link to a moment shows it, paused, with flags and controls (${size})`, async (t) => {
    const page = await openReplay(t, '?t=700', { viewport });
    await showsStateOf(page, 700);
    assert.equal(await moment(page), 700);
    await page.getByText('Safety car', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: /^Play/ }).waitFor();
    await page.locator('.scrub-flag.flag-yellow').waitFor({ state: 'attached' });
    assert.equal(await page.locator('.scrub-elapsed').textContent(), '0:11:40');
    assert.equal(await page.locator('.scrub-elapsed').isVisible(), true);
    await screenshot(page, `replay-${size}`);
    const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
    assert.equal(scroll, client);
    assert.match(await page.title(), /Club Cup – Race 1/);
    assert.deepEqual(page.problems, []);
  });
}

test('only the minutes that are looked at are fetched, and never the archive', async (t) => {
  const page = await openPage(t);
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${daemon.http}/replay/club?t=900`);
  await showsStateOf(page, 900);
  const chunks = asked.filter((name) => /\/\d+\.json$/.test(name));
  const { chunks: { starts } } = await (await fetch(`${daemon.http}/timeline/recordings/club/index.json`)).json();
  assert.ok(chunks.length >= 1 && chunks.length < starts.length / 2, `${chunks.length} of ${starts.length} chunks`);
  assert.equal(asked.some((name) => name.endsWith('.zip')), false);
});

test('it plays by itself, at sixty times the speed when asked, to its end and again', async (t) => {
  const page = await openReplay(t);
  await reaches(page, (at) => at > 0, 'the first second');
  await page.getByLabel('Speed').selectOption('60');
  await reaches(page, (at) => at > 120, 'two minutes');
  await page.locator('.scrub-track').focus();
  await page.keyboard.press('End');
  await showsStateOf(page, LENGTH);
  await page.getByRole('button', { name: /^Play/ }).click();
  await reaches(page, (at) => at < LENGTH / 2, 'the beginning again');
  assert.deepEqual(page.problems, []);
});

test('keys seek, step, change the speed and jump between key moments', async (t) => {
  const page = await openReplay(t, '?t=100');
  await page.locator('.scrub-flag').first().waitFor({ state: 'attached' });
  const press = async (key, expected) => {
    await page.keyboard.press(key);
    await reaches(page, (at) => at === expected, `${key} to lead to ${expected}`);
  };
  await press('l', 110);
  await press('j', 100);
  await press('ArrowRight', 105);
  await press('Shift+ArrowRight', 165);
  await press('ArrowLeft', 160);
  await press('.', 165);
  await press(',', 160 + FRAME_S - 1);
  await press('5', LENGTH / 2);
  await press('0', 0);
  await eventually(async () => (await page.locator('.scrub-moment').count()) > 0, 'key moments', 60000);
  await press('1', LENGTH / 10);
  await page.keyboard.press('n');
  await reaches(page, (at) => at > LENGTH / 10, 'the next key moment');
  await page.keyboard.press('+');
  assert.equal(await page.getByLabel('Speed').inputValue(), '2');
  await page.keyboard.press('-');
  await page.keyboard.press('-');
  assert.equal(await page.getByLabel('Speed').inputValue(), '0.5');
  await page.locator('.find').focus();
  const before = await moment(page);
  await page.keyboard.type('12');
  assert.equal(await moment(page), before, 'typing is not playing');
});

test('the track is dragged and pressed, and is a slider for assistive technology', async (t) => {
  const page = await openReplay(t, '?t=10');
  const slider = page.getByRole('slider', { name: 'Moment of the race' });
  assert.equal(await slider.getAttribute('aria-valuemax'), String(LENGTH));
  assert.match(await slider.getAttribute('aria-valuetext'), /0:00:10/);
  const box = await slider.boundingBox();
  await page.mouse.move(box.x + box.width * 0.2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  await reaches(page, (at) => Math.abs(at - LENGTH * 0.75) < LENGTH / 50, 'three quarters');
  await page.locator('.scrub-hint').waitFor();
});

test('a lap and a message are jumped to', async (t) => {
  const page = await openReplay(t, '?t=10');
  await page.keyboard.press('g');
  const dialog = page.getByRole('dialog', { name: 'Jump to' });
  await dialog.getByRole('button', { name: /Safety car deployed/ }).click();
  await reaches(page, (at) => at === 600, 'the safety car');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Jump to' }).click();
  await dialog.getByLabel('Lap', { exact: true }).fill('10');
  await page.keyboard.press('Enter');
  await reaches(page, (at) => at !== 600, 'lap 10');
  const leader = stateAt(await moment(page)).cars[0];
  assert.ok(Math.abs(leader[5] - 10) <= 1, `lap ${leader[5]}`);
  await page.getByRole('button', { name: 'Jump to' }).click();
  await dialog.getByLabel('Lap', { exact: true }).fill('999');
  await dialog.getByRole('button', { name: 'Go' }).click();
  await dialog.getByText('Not a lap of this race so far').waitFor();
  await dialog.getByLabel('Find a message').fill('chequered');
  await eventually(async () => (await dialog.locator('.jump-list button').count()) === 1, 'one message', 60000);
});

test('spoiler-free, nothing of the end is told before it is played', async (t) => {
  const page = await openReplay(t, '?spoiler=0&t=300');
  await eventually(async () => (await page.locator('.scrub-flag').count()) > 0, 'the flags so far', 60000);
  assert.equal(await page.locator('.scrub-flag.flag-yellow, .scrub-flag.flag-chequered').count(), 0);
  assert.equal(await page.locator('.scrub-total').textContent(), '');
  assert.notEqual(await page.locator('.scrub-track').getAttribute('aria-valuemax'), String(LENGTH));
  await page.keyboard.press('g');
  const dialog = page.getByRole('dialog', { name: 'Jump to' });
  await dialog.getByRole('button', { name: /Green flag/ }).first().waitFor();
  assert.equal(await dialog.getByRole('button', { name: /Safety car|Chequered/ }).count(), 0);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('link', { name: 'Analysis' }).click();
  await eventually(() => page.url().match(/analysis\?t=3\d\d/), 'the address of the analysis up to this moment', 60000);
  await page.goBack();
  await page.getByRole('button', { name: 'Spoiler-free', pressed: true }).click();
  await page.locator('.scrub-flag.flag-yellow').waitFor({ state: 'attached' });
  assert.deepEqual(page.problems, []);
});

test('a moment is shared, and the address follows what is shown', async (t) => {
  const page = await openReplay(t, '?t=120');
  await page.getByRole('button', { name: 'Share' }).click();
  assert.equal(await page.getByLabel('Link to this moment').inputValue(), `${daemon.http}/replay/club?t=120`);
  await page.keyboard.press('Escape');
  await page.keyboard.press('l');
  await page.waitForURL(/\?t=130$/);
  await page.reload();
  await showsStateOf(page, 130);
});

test('recording and analysis are there to download', async (t) => {
  const page = await openReplay(t, '?t=120', { acceptDownloads: true });
  const get = async (role, name) => {
    await page.getByRole('button', { name: 'Download' }).click();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('dialog').getByRole(role, { name }).click()]);
    await page.keyboard.press('Escape');
    return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
  };
  const zip = await get('link', /Recording/);
  assert.equal(zip.name, 'club.zip');
  assert.deepEqual(zip.bytes, readFileSync(path.join(daemon.env.LIVETIMING_RECORDINGS_DIR, 'club.zip')));
  const analysis = JSON.parse((await get('button', /Analysis/)).bytes);
  assert.equal(analysis.at, START + LENGTH);
  assert.equal(Object.keys(analysis.analysis.static).length, 6);
});

test('text of a recording is text, never markup', async (t) => {
  const page = await openReplay(t, '?t=100', {}, 'evil');
  assert.equal(await page.locator('main h1').textContent(), EVIL);
  await page.goto(`${daemon.http}/replay/evil/analysis`);
  await page.locator('.analysis-car').first().waitFor();
  assert.equal(await page.locator('main h1').textContent(), EVIL);
  assert.equal(await page.locator('main img').count(), 0);
});

test('what cannot be played is told in a sentence', async (t) => {
  const page = await openPage(t);
  await page.goto(`${daemon.http}/replay/nothing`);
  await page.getByRole('heading', { name: 'No such recording' }).waitFor();
  await page.goto(`${daemon.http}/replay/broken`);
  await page.getByRole('heading', { name: /No such recording|cannot be played/ }).waitFor();
});

test('a recording of the original is played to the states of the original', async (t) => {
  if (!existsSync(golden)) {
    t.skip('reference data golden/s22-club-14x12m is absent (set SHARED_DIR)');
    return;
  }
  const page = await openReplay(t, '', {}, 'golden');
  await page.locator('.scrub-track').focus();
  await page.keyboard.press('End');
  const { state, service } = JSON.parse(readFileSync(path.join(golden, 'analysis.json'), 'utf8'));
  const num = service.colSpec.findIndex(([title]) => title === 'Num');
  await eventually(async () => {
    assert.deepEqual(await rowsOf(page), state.cars.map((row) => String(row[num] ?? '')));
    return true;
  }, 'the last state', 60000);
  assert.deepEqual(page.problems, []);
});
