/** A softphone as caller: tones out of its sound file, and keys pressed on it, which it sends as RFC 4733 events beside the audio. */
import test from 'node:test'
import { agentAndDecoders, missing } from '../support/have.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { callPressing, callSaying } from './baresip-caller.ts'
import { cardCallAudio, takeCardCall } from './card-call.ts'

const skip = missing(...agentAndDecoders)

test('a card keyed as tones in the audio by baresip is captured and paid, and the agent hears no digit', {
  skip,
}, async () => {
  await using folder = await temporaryFolder('baresip-audio')
  const audio = await cardCallAudio('in-band')
  await takeCardCall(folder, audio, (target) => callSaying(target, audio))
})

test('a card keyed on baresip while the caller talks on is captured and paid, and the agent hears no digit', {
  skip,
}, async () => {
  await using folder = await temporaryFolder('baresip-events')
  // The same script with silence for the keys; they are pressed at the pace of a quick hand.
  const audio = await cardCallAudio('event', { toneMs: 100, pauseMs: 120 })
  await takeCardCall(folder, audio, (target) => callPressing(target, audio))
})
