/**
 * A whole call over IPv6, SIP and media, on each relay engine: set up, keyed, masked, ended. And what the call's record says of
 * its quality afterwards, which on a loopback must be perfect.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as schemas from '../../src/control/api/schemas.ts'
import { findKeys } from '../../src/cde/dtmf/recording.ts'
import { eventually } from '../support/eventually.ts'
import { freePorts } from '../support/free-ports.ts'
import { missingIpv6 } from '../support/have.ts'
import { answeredCall, openCapture } from '../support/payment-flow.ts'
import { startPhones } from '../support/phones.ts'
import { startProduct } from '../support/product.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const CARD = '4242424242424242'

for (const engine of ['uring', 'epoll', 'dgram'] as const) {
  test(`a card is keyed over IPv6 through ${engine}, and the call's record tells its quality`, {
    timeout: 60_000,
    skip: missingIpv6(),
  }, async () => {
    await using folder = await temporaryFolder('ipv6')
    const agentPort = await freePorts(2)
    const host = '::1'
    const destination = `sip:agent@[${host}]:${agentPort}`
    await using product = await startProduct({ folder, destination, lifeMs: 55_000, engine, host })
    await using phones = await startPhones(product, agentPort, host)
    await phones.call()
    const callId = await answeredCall(product)
    const captureId = await openCapture(product, callId)
    await phones.key(CARD.slice(0, 10), 'event')
    await phones.key(CARD.slice(10), 'in-band')
    await eventually('a card number', 5_000, async () => {
      const capture = schemas.capture.parse(await product.get(`/v1/captures/${captureId}`))
      return capture.fields.find(({ state, lastFour }) => state === 'valid' && lastFour === CARD.slice(-4))
    })
    const heard = phones.simulators.agent.recordings().heard
    assert.ok(heard !== undefined && heard.samples.length > 8_000)
    assert.equal(findKeys(heard.samples, heard.rateHz).length, 0)
    await phones.hangUp()
    const { caller, agent } = await eventually('the quality of the ended call', 5_000, async () => {
      const { state, quality } = schemas.call.parse(await product.get(`/v1/calls/${callId}`))
      return state === 'ended' ? quality : undefined
    })
    for (const leg of [caller, agent]) {
      assert.ok(leg.packets > 100 && leg.sentPackets > 100, JSON.stringify(leg))
      assert.equal(leg.lost, 0, JSON.stringify(leg))
    }
  })
}
