import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'

test('after the start neither the main thread nor another may read, write, run programs or start threads', () => {
  const child = join(import.meta.dirname, 'start-rights.test-child.ts')
  const flags = ['--permission', '--allow-worker', `--allow-fs-read=${join(import.meta.dirname, '*')}`]
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, child], { encoding: 'utf8', timeout: 30_000 })
  const denied = { read: 'denied', write: 'denied', run: 'denied', thread: 'denied' }
  assert.deepEqual(JSON.parse(stdout || '{}'), { inThread: denied, inMain: denied }, stderr)
})
