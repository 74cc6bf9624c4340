/**
 * SRTP whose keys come from a DTLS handshake beside the media, as trunks in the manner of WebRTC have it: baresip's own, which is
 * OpenSSL's too but used by others, as the caller and as the agent.
 */
import test from 'node:test'
import { agentAndDecoders, missing } from '../support/have.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { callPressing, callSaying } from './baresip-caller.ts'
import { cardCallAudio, takeCardCall } from './card-call.ts'

const skip = missing(...agentAndDecoders)

test('a card keyed as tones by a caller keyed by DTLS reaches no agent with RTP', { skip }, async () => {
  await using folder = await temporaryFolder('dtls-caller-audio')
  const audio = await cardCallAudio('in-band')
  await takeCardCall(folder, audio, (target) => callSaying(target, audio, 'dtls'))
})

test('a card keyed as events by a caller keyed by DTLS reaches no agent keyed by DTLS', { skip }, async () => {
  await using folder = await temporaryFolder('dtls-both-events')
  const audio = await cardCallAudio('event', { toneMs: 100, pauseMs: 120 })
  await takeCardCall(folder, audio, (target) => callPressing(target, audio, 'dtls'), { agentSrtp: 'dtls' })
})
