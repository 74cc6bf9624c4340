/**
 * baresip puts an encrypted call on hold and takes it back: two re-INVITEs with keys. Its recording ends at the first, so what
 * comes through afterwards is read from the product's counters.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'node:test'
import { composeCall, loadVoice } from '../support/call-audio.ts'
import { eventually } from '../support/eventually.ts'
import { missing } from '../support/have.ts'
import { answeredCall } from '../support/payment-flow.ts'
import { CALLED_NUMBER, type Product, startProduct } from '../support/product.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { startBaresip } from './baresip.ts'

/** Six seconds of packets: more than there were before the call was resumed. */
const PACKETS = 300
/** The counters come every five seconds. */
const COUNTED_MS_MAX = 15_000

async function counter(product: Product, name: string): Promise<number> {
  const text = await (await fetch(`${product.address}/metrics`)).text()
  return Number(new RegExp(`^tonewall_cde_counter\\{name="${name}"\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

test('a call with SRTP on both legs is held and resumed; its packets go on being authentic', {
  skip: missing('baresip-core'),
}, async () => {
  await using folder = await temporaryFolder('srtp-hold')
  const says = composeCall([{ speechMs: 30_000 }], await loadVoice()).samples
  await using agent = await startBaresip({ name: 'agent', folder, says, srtp: 'required' })
  await using product = await startProduct({ folder, destination: agent.uri, srtp: 'required', lifeMs: 60_000 })
  const dials = `sip:${CALLED_NUMBER}@127.0.0.1:${product.sipPort}`
  await using caller = await startBaresip({ name: 'caller', folder, says, dials, srtp: 'required' })
  await answeredCall(product)
  await sleep(1_000)
  await caller.command('x')
  await sleep(1_000)
  await caller.command('X')
  const passed = await counter(product, 'passing_passed')
  await eventually('packets after the call was resumed', COUNTED_MS_MAX, async () =>
    (await counter(product, 'passing_passed')) >= passed + PACKETS ? true : undefined,
  )
  for (const problem of ['auth_failed', 'replayed', 'too_old']) {
    assert.equal(await counter(product, `srtp_${problem}`), 0, problem)
  }
  await caller.command('b')
  await Promise.all([caller.hungUp(5_000), agent.hungUp(5_000)])
  assert.deepEqual([caller.srtpSuite(), agent.srtpSuite()], Array(2).fill('AES_CM_128_HMAC_SHA1_80'))
})
