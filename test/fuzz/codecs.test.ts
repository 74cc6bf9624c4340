// What comes from the network reaches the decoders unseen: any octets are audio or refused by name, and nothing is thrown.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { relayedOpusParameters } from '../../src/cde/media/codecs/opus/fmtp.ts'
import { newDecoder, newEncoder } from '../../src/cde/media/codecs/coders.ts'
import type { SpeechCodec } from '../../src/cde/media/codecs/speech-codecs.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { below, mutate } from './mutate.ts'

const SEED = 20_711
const codecs: readonly SpeechCodec[] = ['PCMA', 'PCMU', 'G722', 'opus']
const problems: ReadonlySet<unknown> = new Set(['empty', 'too-long', 'not-decodable'])

test('random and mutated payloads are decoded or refused, within the room given', () => {
  for (const codec of codecs) {
    const random = seededRandom(SEED)
    const encoder = newEncoder(codec)
    const decoder = newDecoder(codec)
    const frame = Int16Array.from({ length: encoder.sampleRateHz / 50 }, (_, i) => 9_000 * Math.sin(i / 3))
    const payload = new Uint8Array(1_500)
    const samples = new Int16Array((decoder.sampleRateHz * 120) / 1_000 + 1).fill(77)
    let heard = 0
    for (let run = 0; run < 900; run++) {
      const valid = payload.slice(0, encoder.encode(frame, payload))
      const input = run % 3 === 0 ? random(below(300, random)) : mutate(valid, random)
      const result = decoder.decode(input, samples.subarray(0, -1))
      const isListed = typeof result === 'number' ? result > 0 && result < samples.length : problems.has(result)
      assert.ok(isListed, `${codec} seed ${SEED} run ${run}: ${result}`)
      if (typeof result === 'number') heard++
    }
    assert.equal(samples.at(-1), 77, codec)
    assert.ok(heard > 300, `${codec}: only ${heard} were audio`)
    decoder.reset()
    assert.equal(typeof decoder.decode(payload.slice(0, encoder.encode(frame, payload)), samples), 'number')
    encoder.close()
    decoder.close()
  }
})

test('parameters of Opus, whatever they hold', () => {
  const random = seededRandom(SEED)
  for (let run = 0; run < 2_000; run++) {
    const text = String.fromCharCode(...mutate(new TextEncoder().encode('maxplaybackrate=16000;cbr=1'), random))
    assert.match(
      relayedOpusParameters(text),
      /^[a-z0-9=;]*useinbandfec=0;usedtx=0;stereo=0$/,
      `seed ${SEED} run ${run}`,
    )
  }
})
