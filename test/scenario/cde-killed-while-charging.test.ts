/**
 * The card zone is killed after the card went to the gateway and before the answer came. The money may have moved or not: control
 * must say that it does not know (`checking`), find out by asking, and must not charge again. The next call works as if nothing was.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { eventually } from '../support/eventually.ts'
import { freePorts } from '../support/free-ports.ts'
import { allFieldsValid, answeredCall, openCapture, paymentIn, submit } from '../support/payment-flow.ts'
import { startPhones } from '../support/phones.ts'
import { startProduct } from '../support/product.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

// The sandbox's slow card and one that it approves at once.
const SLOW_CARD = '4012888888881881'
const CARD = '4242424242424242'
const EXPIRY_AND_CODE = `12${String((new Date().getUTCFullYear() + 2) % 100).padStart(2, '0')}967`

test('the card zone killed while charging: the payment is checked and resolved, charged at most once, and a new call works', async () => {
  await using folder = await temporaryFolder('cde-killed')
  const agentPort = await freePorts(2)
  const destination = `sip:agent@127.0.0.1:${agentPort}`
  await using product = await startProduct({ folder, destination, lifeMs: 120_000, slowMs: 3_000 })
  await using phones = await startPhones(product, agentPort)

  const keyed = async (card: string): Promise<string> => {
    await phones.call()
    const captureId = await openCapture(product, await answeredCall(product))
    await phones.key(card + EXPIRY_AND_CODE, 'event')
    await allFieldsValid(product, captureId, 5_000)
    return captureId
  }

  const captureId = await keyed(SLOW_CARD)
  const { paymentId } = await submit(product, captureId, 'order-1')
  await eventually('the charge at the gateway', 5_000, async () => product.gateway.ledger()[0])
  const killedPid = await product.cdePid()
  process.kill(killedPid, 'SIGKILL')

  await paymentIn(product, paymentId, ['checking'], 5_000)
  const resolved = await paymentIn(product, paymentId, ['approved', 'reversed'], 60_000)
  const charges = product.gateway.ledger()
  assert.equal(charges.length, 1, 'one reference reached the gateway')
  assert.equal(charges[0]?.reference, resolved.reference)
  assert.equal(charges[0]?.state, resolved.state, 'what control says is what the gateway has')
  assert.ok((charges[0]?.timesCharged ?? 0) <= 1)

  // The call went with the process that carried it; both people notice and hang up.
  await phones.hangUp()
  assert.notEqual(await product.cdePid(), killedPid)
  await eventually('no live call', 10_000, async () =>
    JSON.stringify(await product.get('/v1/calls?state=live')).includes('callId') ? undefined : true,
  )
  const next = await submit(product, await keyed(CARD), 'order-2')
  await paymentIn(product, next.paymentId, ['approved'], 10_000)
  assert.equal(product.gateway.ledger().length, 2)
})
