/** Softphones that speak G.722 and Opus: the masked line at 16 kHz, judged by their own decoders. */
import test from 'node:test'
import { agentAndDecoders, missing } from '../support/have.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { callPressing, callSaying } from './baresip-caller.ts'
import { cardCallAudio, takeCardCall } from './card-call.ts'

const skip = missing(...agentAndDecoders)
const codecs = ['opus', 'G722', 'PCMA', 'PCMU']

test('a card keyed in G.722 on both legs is captured and paid, and the agent hears no digit', { skip }, async () => {
  await using folder = await temporaryFolder('wide-band')
  const audio = await cardCallAudio('in-band')
  const call = (target: Parameters<typeof callSaying>[0]) => callSaying(target, audio, undefined, 'G722')
  await takeCardCall(folder, audio, call, { codecs, agentCodec: 'G722' })
})

test('a card keyed in G.722 to an agent who has G.711 only: transcoded both ways, and no digit either', {
  skip,
}, async () => {
  await using folder = await temporaryFolder('transcoded')
  const audio = await cardCallAudio('in-band')
  const call = (target: Parameters<typeof callSaying>[0]) => callSaying(target, audio, undefined, 'G722')
  await takeCardCall(folder, audio, call, { codecs })
})

test('a card keyed in Opus on both legs is captured and paid, and the agent hears no digit', { skip }, async () => {
  await using folder = await temporaryFolder('opus')
  const audio = await cardCallAudio('in-band')
  const call = (target: Parameters<typeof callSaying>[0]) => callSaying(target, audio, undefined, 'opus')
  await takeCardCall(folder, audio, call, { codecs, agentCodec: 'opus' })
})

test('keys pressed on a phone with Opus to an agent who has G.711 only: events of 48 kHz are captured, and no digit is heard', {
  skip,
}, async () => {
  await using folder = await temporaryFolder('opus-events')
  const audio = await cardCallAudio('event', { toneMs: 100, pauseMs: 120 })
  await takeCardCall(folder, audio, (target) => callPressing(target, audio, undefined, 'opus'), { codecs })
})
