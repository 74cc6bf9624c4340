/** What start-rights.test.ts runs under Node's permission model: what may be done in the main thread and in one that it started. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { dropStartRights } from './start-rights.ts'

function outcome(what: () => unknown): string {
  try {
    const result = what()
    return result instanceof Error ? 'denied' : 'allowed'
  } catch {
    return 'denied'
  }
}

const file = new URL(import.meta.url)
const attempts = (): Record<string, string> => ({
  read: outcome(() => readFileSync('/etc/hostname')),
  write: outcome(() => writeFileSync(`/tmp/written-by-${process.pid}`, '')),
  run: outcome(() => spawnSync('true').error),
  // A thread whose flags are empty would have no permission model at all.
  thread: outcome(() => void new Worker(file, { execArgv: [] }).terminate()),
})

if (isMainThread) {
  const worker = new Worker(file)
  worker.once('message', (inThread: unknown) => {
    dropStartRights()
    process.stdout.write(JSON.stringify({ inThread, inMain: attempts() }))
  })
} else {
  dropStartRights()
  parentPort?.postMessage(attempts(), [])
}
