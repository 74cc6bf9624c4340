// Runs on any Node ≥ 20 with nothing installed: the first thing a fresh clone executes. Plain JavaScript for that reason.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Makes the clone ready to run: dependencies as the lock file names them, the project's own Node 24.
 * Does nothing, fast, when all is there. Exits with a sentence when it cannot.
 * @returns {{ node24: string }} path of a Node 24 or newer
 */
export function prepare() {
  const installedMark = join(projectRoot, 'node_modules', '.tonewall-installed')
  const lock = join(projectRoot, 'package-lock.json')
  const isClone = existsSync(lock)
  if (isClone && !upToDate(installedMark, lock)) install(installedMark)
  return { node24: findNode24() }
}

function upToDate(mark, lock) {
  return existsSync(mark) && readFileSync(mark, 'utf8') === fingerprint(lock)
}

function fingerprint(lock) {
  const { size, mtimeMs } = statSync(lock)
  return `${size} ${mtimeMs}`
}

function install(mark) {
  console.error('tonewall: installing dependencies (once; about half a minute)')
  // Not `npm ci`: it refuses a lock file that lacks the binaries of other platforms. --no-save keeps the lock as it is.
  const npm = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: projectRoot,
    stdio: ['ignore', 'ignore', 'inherit'],
    // No install script of a dependency is needed, so none runs. Not in .npmrc: there it would keep prepack from running, too.
    env: { ...process.env, npm_config_loglevel: 'error', npm_config_ignore_scripts: 'true' },
    shell: process.platform === 'win32',
  })
  if (npm.status !== 0)
    fail('npm could not install the dependencies; the lines above say why. Run it again when the network is back.')
  writeFileSync(mark, fingerprint(join(projectRoot, 'package-lock.json')))
}

/** Builds the widget and the demo page when their sources are newer than what was built. */
export function buildWebIfStale(node24) {
  const script = join(projectRoot, 'scripts', 'build-web.mjs')
  const built = ['widget/widget.js', 'demo/index.html'].map((file) => join(projectRoot, 'web', 'dist', file))
  if (!existsSync(script)) return // an installed package brings its web part built
  const sources = readdirSync(join(projectRoot, 'web'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes(join('web', 'dist')))
    .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs)
  if (built.every(existsSync) && Math.min(...built.map((file) => statSync(file).mtimeMs)) > Math.max(...sources)) return
  const build = spawnSync(node24, [script], { cwd: projectRoot, stdio: ['ignore', 'ignore', 'inherit'] })
  if (build.status !== 0) fail('the web part could not be built; the lines above say why.')
}

function findNode24() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  // Resolved, not joined: npm puts the dependencies of an installed package beside it.
  try {
    return createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`)
  } catch {
    return fail(
      `Tonewall needs Node 24 or newer and brings none for ${process.platform}-${process.arch}: install it and start again.`,
    )
  }
}

function fail(sentence) {
  console.error(`tonewall: ${sentence}`)
  process.exit(1)
}
