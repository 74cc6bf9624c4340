// While a card is keyed its number lies in the process once; after the charge not at all, whatever the gateway answered
// and without waiting for a garbage collection. A copy kept as a string is found by the same scan.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { createServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { type MemoryScan, scanMemory } from '../../../../test/support/memory-scan.ts'
import { newId } from '../../../lib/ids.ts'
import { systemRandom } from '../../../lib/random.ts'
import { startSandboxGateway } from '../../../sim/gateway/server.ts'
import { KEY } from './sandbox.test-kit.ts'

const CHILD = fileURLToPath(new URL('memory.test-child.ts', import.meta.url))
const NONE: MemoryScan['copies'] = { ascii: 0, utf16: 0, values: 0 }
type Round = readonly [number: string, expected: string, exchangeMs: number]
const charges: readonly Round[] = [
  ['5105105105105100', 'approved', 5_000],
  ['4000000000009995', 'declined', 5_000],
  ['4000000000000077', 'unknown', 300],
  ['4000000000000341', 'unknown', 5_000],
]

void test('no copy of a card number stays in the process after a charge over HTTP', async (t) => {
  const gateway = await startSandboxGateway({ host: '127.0.0.1', port: 0, key: KEY })
  t.after(() => gateway.close())
  await chargeAndScan(t, `http://127.0.0.1:${gateway.address.port}`, '', charges)
})

void test('no copy of a card number stays in the process after a charge over TLS', async (t) => {
  const identity = selfSigned()
  if (!identity) return t.skip('openssl is not installed')
  const gateway = await startSandboxGateway({ host: '127.0.0.1', port: 0, key: KEY })
  const front = createServer(identity, (inner) => {
    const outer = connect(gateway.address.port, '127.0.0.1')
    // A reset on one side becomes a reset on the other.
    inner.on('error', () => outer.destroy()).pipe(outer)
    outer.on('error', () => inner.destroy()).pipe(inner)
  }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  t.after(async () => {
    front.close()
    await gateway.close()
  })
  const address = front.address()
  assert.ok(typeof address === 'object' && address !== null)
  await chargeAndScan(t, `https://127.0.0.1:${address.port}`, identity.cert, charges.slice(0, 2))
})

async function chargeAndScan(
  t: TestContext,
  url: string,
  certificate: string,
  rounds: readonly Round[],
): Promise<void> {
  const child = spawn(process.execPath, [CHILD], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { TEST_CA: certificate },
  })
  t.after(() => child.kill())
  const ask = conversation(child)
  for (const [number, expected, exchangeMs] of rounds) {
    const id = newId(systemRandom)
    await ask(`start ${id}`)
    await ask(`keys ${letters(`${number}1234123`)}`)
    const keyed = scanMemory(child.pid ?? 0, number)
    if (keyed === 'unavailable') return t.skip('the memory of a child process cannot be read here')
    assert.ok(keyed.octetsRead > 10_000_000, 'a Node process is larger than what was read')
    assert.deepEqual(keyed.copies, { ...NONE, values: 1 }, 'while it is kept there is one copy, in Digits')
    assert.equal(await ask(`charge ${id} ${url} ${exchangeMs}`), expected)
    const after = scanMemory(child.pid ?? 0, number)
    assert.ok(after !== 'unavailable')
    assert.deepEqual(after.copies, NONE, `after ${expected}`)
  }
  const [number] = rounds[0] ?? ['']
  await ask(`string ${letters(number)}`)
  const control = scanMemory(child.pid ?? 0, number)
  assert.ok(control !== 'unavailable' && control.copies.ascii > 0, 'a copy that is there is found')
  child.stdin?.end('end\n')
  await once(child, 'exit')
}

/** Sends a line to the child and waits for its answer. */
function conversation(child: ChildProcess): (line: string) => Promise<string> {
  assert.ok(child.stdin && child.stdout)
  const { stdin } = child
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async (line) => {
    stdin.write(`${line}\n`)
    const answer = await answers.next()
    assert.ok(!answer.done, 'the child has gone')
    return answer.value
  }
}

function letters(digits: string): string {
  return Array.from(digits, (digit) => String.fromCharCode(97 + Number(digit))).join('')
}

/** A key and a certificate for 127.0.0.1, made for this run only. */
function selfSigned(): { key: string; cert: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'tonewall-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
  ])
  try {
    return made.status === 0 ? { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') } : undefined
  } finally {
    rmSync(folder, { recursive: true })
  }
}
