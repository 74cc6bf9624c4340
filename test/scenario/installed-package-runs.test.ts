/** What `npm pack` makes, installed in an empty folder: no sources, no clone, the dependencies beside it instead of in it. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { childrenOf } from '../support/proc.ts'
import { mustRun, runProgram } from '../support/processes.ts'
import { startProduct } from '../support/product.ts'
import { type TemporaryFolder, temporaryFolder } from '../support/temp-folder.ts'

const CLONE = fileURLToPath(new URL('../../', import.meta.url))
const STEP_MS_MAX = 60_000

test('the installed package starts with a configuration and masks a recording', { timeout: 180_000 }, async (t) => {
  await using folder = await temporaryFolder('installed')
  const installed = await installPacked(folder, t)
  const command = folder.file('node_modules/.bin/tonewall')

  const parts = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'assets', 'bin', 'dist', 'docs', 'examples']
  assert.deepEqual((await readdir(installed)).sort(), [...parts, 'package.json', 'web'], 'did prepack run?')
  const strange = (await readdir(installed, { recursive: true })).filter((path) => /\.ts$|test/.test(path))
  assert.deepEqual(strange, [], 'no sources and no tests are packed')

  await t.test('the card zone comes up, with leave to read its own code and packages only', async () => {
    // epoll, because its addon is found through the most packages; without it the start would fail.
    await using product = await startProduct({
      folder,
      destination: 'sip:agent@127.0.0.1:5999',
      lifeMs: STEP_MS_MAX,
      command,
      engine: 'epoll',
    })
    assert.deepEqual(await product.get('/healthz'), { status: 'ok', cde: 'up' })
    const widget = await fetch(`${product.address}/widget.js`)
    assert.equal(widget.status, 200)
    const [control] = await childrenOf(product.controlPid)
    const [cardZone] = await childrenOf(control ?? 0)
    const commandLine = (await readFile(`/proc/${cardZone}/cmdline`, 'utf8')).split('\0')
    assert.ok(commandLine.includes(join(installed, 'dist', 'cde', 'main.js')), commandLine.join(' '))
    assert.deepEqual(
      commandLine.filter((flag) => /^--allow-fs-read=.*node_modules\/\*$/.test(flag)),
      [],
    )
  })

  await t.test('mask writes a recording', async () => {
    const voice = join(installed, 'assets', 'voice', 'caller.wav')
    // Without the clone's own Node 24 in PATH: the package finds the one that was installed with it.
    const path = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'))
    const { stdout, stderr, code } = await runProgram(
      'env',
      [`PATH=${path.join(delimiter)}`, command, 'mask', voice, folder.file('masked.wav'), '--json'],
      { cwd: folder.path, timeoutMs: STEP_MS_MAX },
    )
    assert.equal(code, 0, stderr)
    const { channels } = JSON.parse(stdout.toString('utf8')) as { channels: { spans: unknown[] }[] }
    assert.deepEqual(channels[0]?.spans, [], 'speech is no key')
    assert.equal((await readFile(folder.file('masked.wav'))).length, (await readFile(voice)).length)
  })
})

/** @returns the folder of the installed package */
async function installPacked(folder: TemporaryFolder, t: TestContext): Promise<string> {
  await mustRun('npm', ['pack', '--pack-destination', folder.path], { cwd: CLONE, timeoutMs: STEP_MS_MAX })
  const tarball = (await readdir(folder.path)).find((name) => name.endsWith('.tgz'))
  assert.ok(tarball, 'npm pack wrote no tarball')
  await writeFile(folder.file('package.json'), '{ "private": true }')
  const args = ['install', '--prefix', folder.path, '--offline', '--ignore-scripts', '--no-audit', '--no-fund']
  const npm = await runProgram('npm', [...args, folder.file(tarball)], { cwd: folder.path, timeoutMs: STEP_MS_MAX })
  if (npm.code !== 0) {
    t.diagnostic("npm's cache does not hold all dependencies: those of the clone are linked beside the package instead")
    await unpackBesideLinks(folder, tarball)
  }
  return folder.file('node_modules/tonewall')
}

async function unpackBesideLinks(folder: TemporaryFolder, tarball: string): Promise<void> {
  const installed = folder.file('node_modules/tonewall')
  await mkdir(installed, { recursive: true })
  await mkdir(folder.file('node_modules/.bin'), { recursive: true })
  for (const name of await readdir(join(CLONE, 'node_modules'))) {
    if (name.startsWith('.')) continue
    await symlink(join(CLONE, 'node_modules', name), folder.file(`node_modules/${name}`))
  }
  const unpack = ['-xzf', folder.file(tarball), '-C', installed, '--strip-components=1']
  await mustRun('tar', unpack, { timeoutMs: STEP_MS_MAX })
  await symlink('../tonewall/bin/tonewall.mjs', folder.file('node_modules/.bin/tonewall'))
}
