import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missingNamespaces, testNetwork } from '../../../../test/support/network-namespaces.ts'
import { seededRandom } from '../../../lib/random.ts'
import { KernelForwarder } from './forwarder.ts'
import { openKernelForwarder } from './open.ts'

const random = seededRandom(3)

test('where it cannot be: off and auto go without, required says so', async () => {
  assert.equal(await openKernelForwarder('off', '127.0.0.1', random), undefined)
  assert.equal(await openKernelForwarder('auto', '127.0.0.1', random), undefined)
  assert.equal(await openKernelForwarder('required', '127.0.0.1', random), 'kernel-forwarding-unavailable')
  assert.equal(await openKernelForwarder('required', '::1', random), 'kernel-forwarding-unavailable')
})

test('where it can be: each thread has a table of its own, also in a process with the card zone’s permissions', {
  skip: missingNamespaces(),
}, () => {
  using network = testNetwork(1)
  const [host] = network.hosts
  assert(host !== undefined)
  const [first, second] = ['tonewall-first', 'tonewall-second'].map((table) =>
    host.inside(() => KernelForwarder.open(host.address, table)),
  )
  assert(first instanceof KernelForwarder && second instanceof KernelForwarder)
  first.close()
  assert.equal(second.isOpen, true)
  const script = `
    const { openKernelForwarder } = await import(process.argv[1])
    const opened = await openKernelForwarder('required', process.argv[2], () => new Uint8Array(18))
    process.stdout.write(typeof opened)`
  const module = new URL('open.ts', import.meta.url).href
  const root = new URL('../../../../', import.meta.url).pathname
  const flags = ['--permission', '--allow-addons', `--allow-fs-read=${root}`, '--no-warnings', '--input-type=module']
  assert.equal(host.run(process.execPath, ...flags, '--eval', script, module, host.address), 'object')
  second.close()
})
