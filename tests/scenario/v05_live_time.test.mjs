// A race that runs, watched at another moment than now: paused, gone back to,
// delayed to match a TV picture. In real time, so every step waits for what it
// needs and nothing is said about how long that takes.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Daemon, eventually } from './support/daemon.mjs';
import { openPage, screenshot } from './support/browser.mjs';
import { DESKTOP, PHONE, knownState, publishService } from './support/viewer.mjs';

const daemon = new Daemon();
before(() => daemon.start());
after(() => daemon.destroy());

// Publishes a state four times a second whose track data counts up; laps every third one.
async function startRace(t, uuid) {
  const race = { count: 0, ended: false };
  // Before the connection is closed: the answer to a publication on its way would never come.
  t.after(() => {
    race.ended = true;
    return race.running;
  });
  const state = () => ({
    ...knownState,
    cars: knownState.cars.map(([num, status, ...rest], i) => [num, status, ...rest.slice(0, 2), Math.floor((race.count - i) / 3) + 20, ...rest.slice(3)]),
    session: { ...knownState.session, trackData: [String(race.count)] },
    messages: [[1700000000 + race.count, 'Track', `Message ${race.count}`, 'track']],
  });
  const { publish } = await publishService(t, daemon, uuid, { state: state(), trackDataSpec: ['Count'] });
  race.running = (async () => {
    while (!race.ended) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      race.count += 1;
      try {
        await publish(state());
      } catch {
        race.ended = true; // the test is over
      }
    }
  })();
  return race;
}

const shown = async (page) => Number(await page.locator('.track dd').textContent());
const reaches = (page, count) => eventually(async () => (await shown(page)) >= count, `count ${count} on the page`, 60000);

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  test(`a live race is paused, gone on with behind, and caught up with (${size})`, async (t) => {
    const race = await startRace(t, `pause-${size}`);
    const page = await openPage(t, { viewport });
    await page.goto(`${daemon.http}/service/pause-${size}`);
    await page.locator('table.timing tbody tr').first().waitFor();
    await reaches(page, 2);

    await page.getByRole('button', { name: /^Pause/ }).click();
    const paused = await shown(page);
    const at = race.count + 4;
    await eventually(() => race.count >= at, 'the race to go on', 60000);
    assert.equal(await shown(page), paused);
    await page.locator('.moment', { hasText: 'Paused' }).waitFor();
    assert.equal(await page.locator('.message .text').first().textContent(), `Message ${paused}`);

    await page.getByRole('button', { name: /^Play/ }).click();
    await reaches(page, paused + 1);
    await page.locator('.moment').click();
    await reaches(page, at);
    await page.locator('.moment').waitFor({ state: 'hidden' });
    assert.deepEqual(page.problems, []);
  });
}

test('a TV delay holds table and messages back, is nudged, remembered, and taken off', async (t) => {
  const race = await startRace(t, 'delay');
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/delay`);
  await page.locator('table.timing tbody tr').first().waitFor();
  await eventually(() => race.count >= 8, 'some of the race', 60000);
  await reaches(page, 8);
  await page.keyboard.press('d');
  await page.getByRole('button', { name: '5 seconds more', exact: true }).click();
  await page.getByRole('button', { name: '0.5 seconds less', exact: true }).click();
  await page.getByRole('button', { name: '0.5 seconds less', exact: true }).click();
  assert.equal(await page.locator('.delay-value').textContent(), '4.0 s');
  await page.getByRole('button', { name: 'TV delay 4.0 s' }).waitFor();
  await screenshot(page, 'delay');
  // Whatever is shown is at least four seconds old, which is sixteen states, or the first there was.
  await eventually(async () => {
    const now = race.count;
    const seen = await shown(page);
    return seen < now && (seen <= now - 8 || seen <= 8);
  }, 'the page to be behind', 60000);
  assert.equal(await page.locator('.message .text').first().textContent().then((text) => Math.abs(Number(text.split(' ')[1]) - race.count) >= 1), true);

  await page.reload();
  await page.getByRole('button', { name: 'TV delay 4.0 s' }).waitFor();
  await page.getByRole('button', { name: 'TV delay 4.0 s' }).click();
  await page.getByRole('button', { name: 'No delay' }).click();
  await page.getByRole('button', { name: 'TV delay', exact: true }).waitFor();
  await reaches(page, race.count);
});

test('who joins late has the whole past, and the delay, at once', async (t) => {
  const race = await startRace(t, 'late');
  await eventually(() => race.count >= 12, 'some of the race', 60000);
  const page = await openPage(t);
  await page.addInitScript(() => localStorage.getItem('livetiming') ?? localStorage.setItem('livetiming', '{"delay":4}'));
  await page.goto(`${daemon.http}/service/late`);
  const joined = race.count;
  await page.locator('table.timing tbody tr').first().waitFor();
  await eventually(async () => (await shown(page)) < joined, 'a moment before the page was opened', 60000);
  await page.locator('.scrub-track').focus();
  await page.keyboard.press('Home');
  await eventually(async () => (await shown(page)) <= 3, 'the beginning', 60000);
  await page.keyboard.press('End');
  await reaches(page, joined);
  assert.deepEqual(page.problems, []);
});

test('the delay is measured on a lap of the leader', async (t) => {
  const race = await startRace(t, 'measure');
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/measure`);
  await page.locator('table.timing tbody tr').first().waitFor();
  await page.keyboard.press('d');
  // Two laps known: the one before the last was completed at least a lap ago.
  await eventually(async () => (await page.getByRole('combobox', { name: 'Lap' }).locator('option').count()) >= 4, 'laps to choose from', 60000);
  const laps = (await page.getByRole('combobox', { name: 'Lap' }).locator('option').allInnerTexts()).map((text) => Number(text.split(' ')[1]));
  assert.equal(laps[0], laps[1] + 1, 'the lap to come is on top');
  await page.getByRole('combobox', { name: 'Lap' }).selectOption(String(laps[2]));
  await page.getByRole('button', { name: 'Now', exact: true }).click();
  await page.getByText(/^Delay set to/).waitFor();
  const delay = Number.parseFloat(await page.locator('.delay-value').textContent());
  assert.ok(delay > 0.3, `${delay} s`);
  assert.ok(race.count > 0);
});

test('a lap that is not completed yet cannot be on the screen', async (t) => {
  await publishService(t, daemon, 'nolap');
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/nolap`);
  await page.locator('table.timing tbody tr').first().waitFor();
  await page.keyboard.press('d');
  await page.getByRole('button', { name: 'Now', exact: true }).click();
  await page.getByText(/is not completed yet/).waitFor();
  assert.equal(await page.locator('.delay-value').textContent(), '0.0 s');
});
