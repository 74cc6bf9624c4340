/**
 * SRTP with one side and RTP with the other: the encrypted phone takes no call in the clear, the other knows no SRTP. And keys
 * offered in RTP/AVP on both sides (RFC 8643).
 */
import test from 'node:test'
import { agentAndDecoders, missing, missingRawSockets } from '../support/have.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { callPressing, callSaying } from './baresip-caller.ts'
import { cardCallAudio, takeCardCall } from './card-call.ts'
import { callWithAudioFile, callWithEvents } from './sipp.ts'

const skip = missing(...agentAndDecoders)
const skipSipp = missing(...agentAndDecoders, 'sip-tester')

test('a card keyed as tones by a caller with RTP reaches no agent with SRTP', { skip: skipSipp }, async () => {
  await using folder = await temporaryFolder('srtp-agent-audio')
  const audio = await cardCallAudio('in-band')
  await takeCardCall(
    folder,
    audio,
    async (target) => {
      const caller = await callWithAudioFile(target, audio)
      return { over: () => caller.succeeded(), [Symbol.asyncDispose]: () => caller[Symbol.asyncDispose]() }
    },
    { agentSrtp: 'required' },
  )
})

test('a card keyed as events by a caller with RTP reaches no agent with SRTP', {
  skip: skipSipp || missingRawSockets(),
}, async () => {
  await using folder = await temporaryFolder('srtp-agent-events')
  const audio = await cardCallAudio('event')
  await takeCardCall(
    folder,
    audio,
    async (target) => {
      const caller = await callWithEvents(target, audio, { audio: 'stops', endSequence: 'counts' })
      return { over: () => caller.succeeded(), [Symbol.asyncDispose]: () => caller[Symbol.asyncDispose]() }
    },
    { agentSrtp: 'required' },
  )
})

test('a card keyed as tones by a caller with SRTP reaches no agent with RTP', { skip }, async () => {
  await using folder = await temporaryFolder('srtp-caller-audio')
  const audio = await cardCallAudio('in-band')
  await takeCardCall(folder, audio, (target) => callSaying(target, audio, 'required'))
})

test('a card keyed as events by a caller with SRTP reaches no agent with RTP', { skip }, async () => {
  await using folder = await temporaryFolder('srtp-caller-events')
  const audio = await cardCallAudio('event', { toneMs: 100, pauseMs: 120 })
  await takeCardCall(folder, audio, (target) => callPressing(target, audio, 'required'))
})

test('a card keyed as tones between two phones that offer keys in RTP/AVP is encrypted on both legs', {
  skip,
}, async () => {
  await using folder = await temporaryFolder('srtp-offered')
  const audio = await cardCallAudio('in-band')
  await takeCardCall(folder, audio, (target) => callSaying(target, audio, 'offered'), { agentSrtp: 'offered' })
})
