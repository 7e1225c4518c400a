// How the house is kept: every file says first what it is for, is short, and has a name that says something.
import { readFileSync, readdirSync } from 'node:fs';
import { basename, extname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { PACKAGE } from '../lib/paths';

const MOST_LINES = 400;
const NAMES_THAT_SAY_NOTHING = ['utils', 'util', 'common', 'helpers', 'helper', 'misc'];

const FILES = ['bin', 'lib', 'lambda', 'scripts', 'test', 'deployed']
  .flatMap((folder) => readdirSync(join(PACKAGE, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && ['.ts', '.py'].includes(extname(entry.name)))
  .map((entry) => relative(PACKAGE, join(entry.parentPath, entry.name)));

test('the files are found', () => {
  expect(FILES.length).toBeGreaterThan(30);
});

test.each(FILES)('%s', (file) => {
  const lines = readFileSync(join(PACKAGE, file), 'utf8').split('\n');
  expect(lines.find((line) => !line.startsWith('#!'))).toMatch(file.endsWith('.py') ? /^"""[A-Z].*/ : /^\/\/ [A-Z].*/);
  expect(lines.length).toBeLessThanOrEqual(MOST_LINES);
  expect(NAMES_THAT_SAY_NOTHING).not.toContain(basename(file, extname(file)));
});
