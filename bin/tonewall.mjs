#!/usr/bin/env node
// The command `tonewall`: prepares the clone if need be, then hands over to the program under Node 24.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { buildWebIfStale, prepare, projectRoot } from './prepare.mjs'

const { node24 } = prepare()
if (process.argv[2] === 'start' && !process.argv.includes('--help')) buildWebIfStale(node24)

// NODE_OPTIONS is dropped: it could open an inspector or preload code beside the card zone.
const { NODE_OPTIONS: _dropped, ...environment } = process.env
// A clone runs its sources; an installed package has none and brings them compiled.
const source = join(projectRoot, 'src', 'main.ts')
const main = existsSync(source) ? source : join(projectRoot, 'dist', 'main.js')
const child = spawn(node24, ['--disable-sigusr1', main, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: environment,
})

// Ctrl-C reaches the whole foreground group; the child ends by itself and this process follows with its exit code.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
