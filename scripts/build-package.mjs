// `prepack`: what an installed package runs. dist/ is src/ compiled, reached from the programs' files, so no test is in it;
// web/dist/ the bundles. Plain JavaScript: it runs on any Node ≥ 20 with nothing installed.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { prepare, projectRoot } from '../bin/prepare.mjs'

const { node24 } = prepare()
// What was compiled from files that are gone must not be packed.
rmSync(join(projectRoot, 'dist'), { recursive: true, force: true })
run(join(projectRoot, 'node_modules', '.bin', 'tsc'), ['--project', 'tsconfig.build.json'])
run(node24, [join('scripts', 'build-web.mjs')])

function run(command, args) {
  // Standard output belongs to npm: `npm pack --json` prints JSON there.
  const { status } = spawnSync(command, args, { cwd: projectRoot, stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(1)
}
