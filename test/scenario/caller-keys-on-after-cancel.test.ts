/**
 * The agent cancels while the caller is still keying. What broke: the mask was let go 3 s after the capture closed, whatever the
 * caller did; the rest of the card reached the agent in clear. Now each key makes the cool-down begin anew.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { findKeys } from '../../src/cde/dtmf/recording.ts'
import { freePorts } from '../support/free-ports.ts'
import { answeredCall, openCapture } from '../support/payment-flow.ts'
import { startPhones } from '../support/phones.ts'
import { startProduct } from '../support/product.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const CARD = '4242424242424242'

for (const carriage of ['in-band', 'event', 'info'] as const) {
  test(`a caller who keys on by ${carriage} after the cancel stays masked to the last key`, {
    timeout: 60_000,
  }, async () => {
    await using folder = await temporaryFolder('cancel')
    const agentPort = await freePorts(2)
    await using product = await startProduct({
      folder,
      destination: `sip:agent@127.0.0.1:${agentPort}`,
      lifeMs: 55_000,
    })
    await using phones = await startPhones(product, agentPort)
    const arrived: string[] = []
    phones.simulators.onEvent((event) => {
      if (event.phone === 'agent' && event.type === 'key-arrived') arrived.push(event.carriage)
    })
    await phones.call()
    const captureId = await openCapture(product, await answeredCall(product))
    await phones.key(CARD.slice(0, 6), carriage)
    await product.post(`/v1/captures/${captureId}/cancel`, {})
    // Ten keys at two a second last longer than the cool-down: this pace is the adversity, not a wait for the product.
    for (const key of CARD.slice(6)) {
      await phones.key(key, carriage)
      await pause(350)
    }
    const heard = phones.simulators.agent.recordings().heard
    assert.ok(heard !== undefined && heard.samples.length > 8_000)
    assert.equal(findKeys(heard.samples, heard.rateHz).length, 0)
    assert.deepEqual(arrived, [], 'keys reached the agent as events or INFO')
  })
}
