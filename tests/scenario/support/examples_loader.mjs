// Runs an example that stands outside of tests/ with the modules installed here:
// node examples_loader.mjs FILE [argument...]
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const file = process.argv[2];
const folder = mkdtempSync(path.join(tmpdir(), 'livetimingd-example-'));
const copy = path.join(folder, path.basename(file));

process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(copy, readFileSync(file));
symlinkSync(path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../node_modules'), path.join(folder, 'node_modules'));
process.argv.splice(1, 2, copy);
await import(pathToFileURL(copy));
rmSync(folder, { recursive: true, force: true });
