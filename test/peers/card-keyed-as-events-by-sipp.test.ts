/** SIPp plays pcap files with RFC 4733 events (RFC 2833 in its words), in the styles in which senders differ. */
import test from 'node:test'
import type { CallAudio } from '../support/call-audio.ts'
import { agentAndDecoders, missing, missingRawSockets } from '../support/have.ts'
import type { EventStyle } from '../support/pcap.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { cardCallAudio, takeCardCall } from './card-call.ts'
import { callWithEvents, debianPresses } from './sipp.ts'

const skip = missing(...agentAndDecoders, 'sip-tester') || missingRawSockets()

async function takeCallWithEvents(audio: CallAudio, style: EventStyle): Promise<void> {
  await using folder = await temporaryFolder('sipp-events')
  await takeCardCall(folder, audio, async (target) => {
    const caller = await callWithEvents(target, audio, style)
    return { over: () => caller.succeeded(), [Symbol.asyncDispose]: () => caller[Symbol.asyncDispose]() }
  })
}

test('a card keyed as events by SIPp, audio stopping for each, is captured and paid, and the agent hears no digit', {
  skip,
}, async () => {
  await takeCallWithEvents(await cardCallAudio('event'), { audio: 'stops', endSequence: 'counts' })
})

test('a card keyed as events and as tones at once by SIPp counts once, and the agent hears no digit', {
  skip,
}, async () => {
  await takeCallWithEvents(await cardCallAudio('both'), { audio: 'beside', endSequence: 'repeats' })
})

test('a card keyed with the recorded presses that Debian ships with SIPp is captured and paid, and the agent hears no digit', {
  skip,
}, async () => {
  const style: EventStyle = { audio: 'stops', endSequence: 'counts', recorded: await debianPresses() }
  await takeCallWithEvents(await cardCallAudio('event', { toneMs: 160, pauseMs: 160 }), style)
})
