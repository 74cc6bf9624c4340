/** SIPp plays an A-law file: the keys are nothing but tones in the caller's audio, as from an old exchange or a door of the network. */
import test from 'node:test'
import { agentAndDecoders, missing } from '../support/have.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { cardCallAudio, takeCardCall } from './card-call.ts'
import { callWithAudioFile } from './sipp.ts'

test('a card keyed as tones in the audio by SIPp is captured and paid, and the agent hears no digit', {
  skip: missing(...agentAndDecoders, 'sip-tester'),
}, async () => {
  await using folder = await temporaryFolder('sipp-audio')
  const audio = await cardCallAudio('in-band')
  await takeCardCall(folder, audio, async (target) => {
    const caller = await callWithAudioFile(target, audio)
    return { over: () => caller.succeeded(), [Symbol.asyncDispose]: () => caller[Symbol.asyncDispose]() }
  })
})
