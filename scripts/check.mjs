// `npm run check`: types, lint, format and the architecture test; what one runs while working. Under 30 seconds.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { prepare, projectRoot } from '../bin/prepare.mjs'

const { node24 } = prepare()
const tool = (name) => join(projectRoot, 'node_modules', '.bin', name)

const steps = [
  ['types', tool('tsc'), ['--project', '.']],
  ['types of the web part', tool('tsc'), ['--project', 'web']],
  ['lint', tool('oxlint'), ['--type-aware', '--deny-warnings', '--quiet']],
  ['format', tool('biome'), ['format', '.']],
  ['architecture', node24, ['--test', '--test-reporter=dot', 'test/tidy.test.ts']],
]

const results = await Promise.all(steps.map(([name, command, args]) => run(name, command, args)))
for (const { name, code, output } of results) {
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name}`)
  if (code !== 0) console.log(output.trimEnd())
}
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1

function run(name, command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => resolve({ name, code: 1, output: String(error) }))
    child.on('close', (code) => resolve({ name, code, output }))
  })
}
