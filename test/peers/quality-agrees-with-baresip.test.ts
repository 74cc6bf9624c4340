/**
 * Two baresips and the product between them: what baresip's RTCP says of a call, and what the call's record says of it. On one
 * machine nothing is lost, so this is about the reports reaching each other's ends and being understood there.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'node:test'
import * as schemas from '../../src/control/api/schemas.ts'
import { composeCall, loadVoice } from '../support/call-audio.ts'
import { eventually } from '../support/eventually.ts'
import { missing } from '../support/have.ts'
import { answeredCall } from '../support/payment-flow.ts'
import { CALLED_NUMBER, startProduct } from '../support/product.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { startBaresip } from './baresip.ts'

/** Two or three reports each way. */
const CALL_MS = 14_000
/** RFC 3550 6.3.1: a report comes at most one and a half intervals of 5 s after the last, here with some room. */
const REPORT_PACKETS_MAX = 9_000 / 20

for (const srtp of [undefined, 'required'] as const) {
  test(`both ends of a call ${srtp ? 'with SRTP' : 'in the clear'} agree on its quality`, {
    skip: missing('baresip-core'),
  }, async () => {
    await using folder = await temporaryFolder('quality')
    const says = composeCall([{ speechMs: 20_000 }], await loadVoice()).samples
    const phone = { folder, says, ...(srtp && { srtp }) }
    await using agent = await startBaresip({ ...phone, name: 'agent' })
    await using product = await startProduct({
      ...{ folder, destination: agent.uri, lifeMs: 60_000 },
      ...(srtp && { srtp }),
    })
    const dials = `sip:${CALLED_NUMBER}@127.0.0.1:${product.sipPort}`
    await using caller = await startBaresip({ ...phone, name: 'caller', dials })
    const callId = await answeredCall(product)
    await sleep(CALL_MS)
    await caller.command('b')
    await Promise.all([caller.hungUp(5_000), agent.hungUp(5_000)])
    const quality = await eventually('the quality of the ended call', 5_000, async () => {
      const { state, quality: final } = schemas.call.parse(await product.get(`/v1/calls/${callId}`))
      return state === 'ended' ? final : undefined
    })
    for (const [side, peer] of [
      ['caller', caller],
      ['agent', agent],
    ] as const) {
      const leg = quality[side]
      const summary = peer.rtcpSummary() ?? assert.fail(`no summary of the ${side}`)
      const facts = `${side}: ${JSON.stringify({ leg, summary })}`
      // baresip counts to its last report, which may be the longest interval ago; ours is of the end.
      const counts = [leg.packets - summary.packetsSent, leg.sentPackets - summary.packetsReceived]
      assert.ok(
        counts.every((behind) => behind >= 0 && behind <= REPORT_PACKETS_MAX),
        facts,
      )
      assert.ok(summary.packetsSent > 200 && summary.packetsReceived > 200, facts)
      assert.deepEqual([leg.lost, leg.farLost, summary.lost.received, summary.lost.sent], [0, 0, 0, 0], facts)
      assert.ok(leg.roundTripMs !== undefined && leg.roundTripMs < 100, facts)
      // What baresip was told by our reports is what we measured of its stream, at the time of the last report.
      assert.ok(Math.abs(summary.jitterMs.sent - leg.jitterMs) <= Math.max(2, leg.jitterMaxMs), facts)
      assert.ok(Math.abs(summary.jitterMs.received - (leg.farJitterMs ?? 0)) <= 10, facts)
    }
  })
}
