// The analysis in the browser: of a recording whose every number is known, and live.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { openPage, screenshot } from './support/browser.mjs';
import { eventually, startDaemon } from './support/daemon.mjs';
import { LENGTH, writeRace } from './support/race.mjs';
import { DESKTOP, PHONE } from './support/viewer.mjs';

async function withRace(t, options) {
  const daemon = await startDaemon(t, options);
  mkdirSync(path.join(daemon.dir, 'recordings'), { recursive: true });
  writeRace(path.join(daemon.dir, 'recordings', 'club.zip'));
  await eventually(async () => (await fetch(`${daemon.http}/timeline/recordings/club/index.json`)).status === 200, 'the recording');
  return daemon;
}

async function openAnalysis(t, daemon, query = '', options = {}) {
  const page = await openPage(t, { acceptDownloads: true, ...options });
  await page.goto(`${daemon.http}/replay/club/analysis${query}`);
  await page.locator('.analysis-car').first().waitFor();
  return page;
}

const tableOf = (page, caption) => page.locator('.analysis-table', { has: page.locator('caption', { hasText: caption }) });
const rowsOf = (table) => table.locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));

test('all views of a recording, on a desk and on a phone', async (t) => {
  const daemon = await withRace(t);
  for (const [size, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
    const page = await openAnalysis(t, daemon, '', { viewport });
    for (const name of ['Gap to leader', 'Gap to car in front', 'Lap times', 'Comparison', 'Stints', 'Pit stops', 'Drivers', 'Session', 'Lap chart']) {
      await page.getByRole('button', { name, exact: true }).click();
      await page.locator('.analysis-head h2', { hasText: name }).waitFor();
      if (['Lap chart', 'Lap times', 'Stints'].includes(name)) await screenshot(page, `analysis-${name.toLowerCase().replaceAll(' ', '-')}-${size}`);
      const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
      assert.equal(scroll, client, `${name} on a ${size} scrolls sideways`);
    }
    assert.match(await page.title(), /Analysis – Club Cup – Race 1/);
    assert.deepEqual(page.problems, []);
  }
});

test('stints, stops, drivers and flags are those of the race', async (t) => {
  const daemon = await withRace(t);
  const page = await openAnalysis(t, daemon, '?view=stints');
  const stints = await rowsOf(tableOf(page, 'Stints'));
  assert.equal(stints.length, 12);
  assert.deepEqual(stints.slice(0, 2).map((row) => row.slice(0, 7)), [
    ['11', 'GT3', 'Team 11', '1', 'Ann 11', '1', '8'], ['11', 'GT3', 'Team 11', '2', 'Bob 11', '9', '28'],
  ]);

  await page.getByRole('button', { name: 'Pit stops' }).click();
  const [stop] = await rowsOf(tableOf(page, 'Pit stops'));
  assert.deepEqual([stop[0], stop[3], stop[4], stop[6], stop[7], stop[8]], ['11', '1', '8', '40.000', 'Bob 11', 'Ann 11']);

  await page.getByRole('button', { name: 'Drivers' }).click();
  const drivers = await rowsOf(tableOf(page, 'Drivers'));
  assert.deepEqual(drivers.slice(0, 2).map((row) => row[3]), ['Ann 11', 'Bob 11']);

  await page.getByRole('button', { name: 'Session' }).click();
  const flags = await rowsOf(tableOf(page, 'By flag'));
  assert.deepEqual(flags.find(([flag]) => flag === 'Safety car').slice(0, 3), ['Safety car', '1', '0:02:00']);
  const led = await rowsOf(tableOf(page, 'Laps led'));
  assert.equal(led[0][0], '11');
});

test('cars and a class are chosen, and the address keeps them', async (t) => {
  const daemon = await withRace(t);
  const page = await openAnalysis(t, daemon, '?view=compare');
  await page.getByRole('button', { name: 'GT4' }).click();
  assert.equal(await page.locator('.analysis-car').count(), 3);
  await page.locator('.analysis-car[data-num="22"]').click();
  await page.getByText('2 of 3 compared').waitFor();
  assert.deepEqual((await rowsOf(tableOf(page, 'Comparison'))).map(([num]) => num), ['21', '23']);
  assert.equal(new URL(page.url()).searchParams.get('cars'), '21,23');
  await page.reload();
  await page.getByText('2 of 3 compared').waitFor();
  assert.deepEqual((await rowsOf(tableOf(page, 'Comparison'))).map(([num]) => num), ['21', '23']);
});

test('a chart is walked by keys, and tells laps, pits and flags', async (t) => {
  const daemon = await withRace(t);
  const page = await openAnalysis(t, daemon, '?view=laps&cars=11');
  const chart = page.locator('.chart-box');
  await chart.focus();
  for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowRight');
  const said = chart.getByRole('status');
  await said.filter({ hasText: 'Lap 8' }).waitFor();
  assert.match(await said.textContent(), /11 Team 11, Lap 8: 1:02\.000, Ann 11, into the pits/);
  for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowRight');
  await said.filter({ hasText: 'Safety car' }).waitFor();
  await page.keyboard.press('+');
  await page.getByRole('button', { name: 'Show all laps' }).click();
  assert.deepEqual(page.problems, []);
});

async function download(page, name) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name, exact: true }).click()]);
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}

test('numbers are saved as CSV and charts as PNG', async (t) => {
  const daemon = await withRace(t);
  const page = await openAnalysis(t, daemon, '?view=laps&cars=11,12');
  const table = await download(page, 'CSV');
  assert.equal(table.name, 'Club-Cup-Race-1-laps.csv');
  assert.deepEqual(table.bytes.toString().replace('\ufeff', '').split('\r\n').slice(0, 3), ['Lap,11,12', '1,61,62.5', '2,62,63.5']);
  const picture = await download(page, 'PNG');
  assert.equal(picture.bytes.subarray(1, 4).toString(), 'PNG');
  assert.ok(picture.bytes.length > 5000);
  await page.getByRole('button', { name: 'Numbers' }).click();
  assert.deepEqual((await rowsOf(tableOf(page, 'Lap times')))[0], ['1', '1:01.000', '1:02.500']);
});

test('at a moment of a replay nothing that came later is told', async (t) => {
  const daemon = await withRace(t);
  const page = await openAnalysis(t, daemon, '?view=stops&t=580');
  await page.getByText('as of 0:09:40').waitFor();
  const stops = await rowsOf(tableOf(page, 'Pit stops'));
  assert.deepEqual(stops.map(([num]) => num), ['11']);
  await page.getByRole('link', { name: 'Replay' }).click();
  await page.waitForURL(/\/replay\/club\?t=580/);
  assert.ok(580 < LENGTH);
});

test('a recording that is not there is told', async (t) => {
  const daemon = await startDaemon(t);
  const page = await openPage(t);
  await page.goto(`${daemon.http}/replay/none/analysis`);
  await page.getByRole('heading', { name: 'No such recording' }).waitFor();
});

test('the analysis of a race that runs goes on by itself', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'simulator --seed 71 --cars 12 --speed 60' } });
  const [{ uuid }] = await daemon.ctlJson(['service', 'list']);
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/${uuid}/analysis?view=drivers`);
  await page.locator('.analysis-car').nth(11).waitFor();
  const laps = async () => Number((await page.locator('.analysis-car .muted').first().textContent()).match(/\d+/)[0]);
  const before = await laps();
  await eventually(async () => (await laps()) > before, 'another lap');
  await page.getByRole('link', { name: 'Live timing', exact: true }).last().click();
  await page.locator('table.timing tbody tr').nth(3).waitFor();
  await page.goBack();
  await page.locator('.analysis-car').nth(11).waitFor();
  assert.deepEqual(page.problems, []);
});

test('with a TV delay the analysis is as old as the picture', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'simulator --seed 71 --cars 6 --speed 60', LIVETIMING_DVR_MIN_DURATION_S: '1' } });
  const [{ uuid }] = await daemon.ctlJson(['service', 'list']);
  const asOf = async (at) => (await fetch(`${daemon.http}/timeline/live/${uuid}/analysis.json?at=${Math.floor(at)}`)).json();
  await eventually(async () => (await asOf(Date.now() / 1000 - 20)).analysis?.session?.leaderLap > 0, 'a past to look at');
  const page = await openPage(t);
  await page.goto(`${daemon.http}/`);
  await page.evaluate(() => localStorage.clear());
  await page.goto(`${daemon.http}/service/${uuid}`);
  await page.locator('.delay-button').click();
  await page.locator('.delay-panel input').fill('20');
  await page.keyboard.press('Enter');
  const [request] = await Promise.all([
    page.waitForRequest((each) => each.url().includes('/analysis.json?at=')),
    page.goto(`${daemon.http}/service/${uuid}/analysis`),
  ]);
  const at = Number(new URL(request.url()).searchParams.get('at'));
  assert.ok(Math.abs(Date.now() / 1000 - 20 - at) < 60);
  await page.locator('.analysis-car').first().waitFor();
  await page.getByText('0:00:20 behind').waitFor();
});
