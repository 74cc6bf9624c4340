// `npm test`: everything, on a fresh clone, real peers included. Plain JavaScript: it runs on any Node ≥ 20 with nothing installed.
// `npm test -- test/peers/peers-alone.test.ts` runs only the files named.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { prepare, projectRoot } from '../bin/prepare.mjs'
import { installDebianPackages } from './debian-packages.mjs'

/** One file may take this long, all of them together that long: a hanging test must not become a hanging machine. */
const FILE_MS_MAX = 300_000
const RUN_MS_MAX = 900_000

const startedAtMs = Date.now()
const { node24 } = prepare()
const stillMissing = installDebianPackages()

const scratch = mkdtempSync(join(tmpdir(), 'tonewall-test-run-'))
const named = process.argv.slice(2)
const results = []
try {
  results.push(await buildWeb())
  if (named.length > 0) results.push(await runTests('named files', named, 1))
  else {
    results.push(await runCheck())
    // Files run side by side here; none of them depends on how fast the machine is.
    const quick = ['src/**/*.test.ts', 'web/**/*.test.ts', 'test/*.test.ts', 'test/!(peers|scenario)/**/*.test.ts']
    results.push(await runTests('unit, fuzz and component tests', quick, 2))
    // Live audio over real sockets, in real time: one file at a time, or a small machine distorts what they measure.
    const live = ['test/scenario/**/*.test.ts', 'test/peers/**/*.test.ts']
    results.push(await runTests('scenarios and real peers', live, 1))
  }
  summarize()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function buildWeb() {
  heading('web part')
  const code = await run(node24, [join(projectRoot, 'scripts', 'build-web.mjs')])
  return { name: 'npm run build', passed: code === 0, skipped: [] }
}

async function runCheck() {
  heading('types, lint, format, architecture')
  const code = await run(process.execPath, [join(projectRoot, 'scripts', 'check.mjs')])
  return { name: 'npm run check', passed: code === 0, skipped: [] }
}

async function runTests(name, patterns, concurrency) {
  heading(name)
  const skippedFile = join(scratch, `skipped-${results.length}`)
  const reporter = join(projectRoot, 'scripts', 'skipped-reporter.mjs')
  const code = await run(node24, [
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${FILE_MS_MAX}`,
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${skippedFile}`],
    ...patterns,
  ])
  const lines = existsSync(skippedFile) ? readFileSync(skippedFile, 'utf8').split('\n').filter(Boolean) : []
  return { name, passed: code === 0, skipped: lines.map((line) => JSON.parse(line)) }
}

function run(command, args) {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: projectRoot, stdio: ['ignore', 'inherit', 'inherit'], env })
    const timer = setTimeout(() => {
      console.error(`tonewall: ${args.join(' ')} took over ${RUN_MS_MAX / 1_000} s and is ended`)
      child.kill('SIGTERM')
    }, RUN_MS_MAX)
    child.on('error', () => resolve(1))
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve(code ?? 1)
    })
  })
}

function heading(text) {
  console.log(`\n── ${text}`)
}

function summarize() {
  heading(`in all: ${Math.round((Date.now() - startedAtMs) / 1_000)} s`)
  for (const { name, passed } of results) console.log(`${passed ? 'ok  ' : 'FAIL'} ${name}`)
  const skipped = results.flatMap((result) => result.skipped)
  if (skipped.length === 0) console.log('nothing was skipped')
  else {
    console.log(`skipped: ${skipped.length}`)
    for (const { file, name, reason } of skipped) console.log(`  ${file}: ${name}\n    ${reason}`)
  }
  for (const { name, tests } of stillMissing) console.log(`Debian package ${name} is missing; affects: ${tests}`)
  process.exitCode = results.every(({ passed }) => passed) ? 0 : 1
}
