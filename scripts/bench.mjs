// `npm run bench:NAME -- --json`: a benchmark under the project's own Node. Figures, never tests: they print ratios or costs.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { prepare, projectRoot } from '../bin/prepare.mjs'

const [name = '', ...args] = process.argv.slice(2)
const { node24 } = prepare()
const run = spawnSync(node24, [join(projectRoot, 'test', 'bench', `bench-${name}.ts`), ...args], { stdio: 'inherit' })
process.exitCode = run.status ?? 1
