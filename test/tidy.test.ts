/**
 * The architecture, held by a test that fails closed: an unknown folder, a forbidden import, a digit where none may be, a
 * file that grew too long, a dependency without a reason, a card number that is no published test number.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findCardNumbers, publishedTestCards } from './tidy/published-cards.ts'
import { sizes, sourceFilesMin } from './tidy/layers.ts'
import { findViolations } from './tidy/violations.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const sources = new Map(
  files
    .filter((path) => /^(src|web|test)\/.*\.ts$/.test(path) && !path.endsWith('.d.ts'))
    .map((path) => [path, read(path)]),
)

test('the sources keep to the layer table', () => {
  assert.ok(sources.size >= sourceFilesMin, `only ${sources.size} files were seen`)
  assert.deepEqual(findViolations(sources), [])
})

test('a planted import across the wall is found, in each direction and in each form', () => {
  // Specifiers stand in backticks, so that this file's own text is not read as imports.
  const plants: [string, string, RegExp][] = [
    [
      'src/control/payments/planted.ts',
      'import { Digits } from `../../cde/capture/digits.ts`\n',
      /may not import src\/cde\/capture/,
    ],
    [
      'src/control/api/planted.ts',
      'export type { CardData } from `../../cde/gateways/connector.ts`\n',
      /may not import src\/cde/,
    ],
    [
      'src/cde/call/planted.ts',
      'import { openStore } from `../../control/store/open.ts`\n',
      /may not import src\/control/,
    ],
    [
      'src/cde/call/planted.ts',
      'const c = await import(`../capture/capture.ts`)\n',
      /may not import src\/cde\/capture/,
    ],
    ['src/cde/sip/planted.ts', 'import { LogSink } from `../media/rtp.ts`\n', /may not import src\/cde\/media/],
    ['src/lib/planted.ts', 'import `../wall/messages.ts`\n', /may not import src\/wall/],
    ['src/cde/capture/planted.ts', 'import { pino } from `pino`\n', /may not import the package pino/],
    ['src/cde/capture/planted.ts', 'import { writeFileSync } from `node:fs`\n', /may not import node:fs/],
    ['src/cde/capture/planted.ts', 'import { writeFileSync } from `fs`\n', /import built-in modules as node:fs/],
    [
      'src/cde/capture/planted.test.ts',
      'import { openStore } from `../../control/store/open.ts`\n',
      /may not import src\/control/,
    ],
    ['src/lib/planted.ts', 'export const now = () => Date.now()\n', /uses Date\.now/],
    ['src/cde/call/planted.ts', 'card.reveal((d) => d)\n', /calls reveal/],
    ['src/wall/planted.ts', 'export type D = Digits\n', /names Digits/],
    ['src/utils/planted.ts', 'export const a = 1\n', /not in the layer table/],
    ['src/lib/planted.ts', 'export const a = 1\n'.repeat(sizes.fileLinesMax + 1), /lines; the limit/],
  ]
  for (const [path, text, expected] of plants) {
    const found = findViolations(new Map([...sources, [path, text.replaceAll('`', "'")]]))
    assert.match(found.join('\n'), expected, `planted in ${path}: ${text.slice(0, 80)}`)
  }
})

test('the median file is short', () => {
  const lengths = [...sources].filter(([path]) => !path.includes('.test')).map(([, text]) => text.split('\n').length)
  const median = lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)] ?? 0
  assert.ok(median <= sizes.medianLinesMax, `median ${median} lines`)
})

test('every dependency has its reason in docs/dependencies.md, and the page names no other', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  const used = ['dependencies', 'optionalDependencies', 'devDependencies'].flatMap((kind) =>
    Object.keys(manifest[kind] ?? {}),
  )
  const explained = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '')
  assert.deepEqual(explained.sort(), used.sort())
})

test('the only card numbers in the project are published test numbers', () => {
  const text = files.filter((path) => !/\.(wav|png|pcap|ico|woff2?)$/.test(path) && path !== 'package-lock.json')
  const strange = text.flatMap((path) =>
    findCardNumbers(read(path))
      .filter((n) => !publishedTestCards.has(n))
      .map(() => path),
  )
  assert.deepEqual(
    strange,
    [],
    'these files hold something that looks like a card number and is no published test number',
  )
})
