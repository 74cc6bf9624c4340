/** What masking costs: talk-off and masked share on Debian's studio prompts (dtmf reference, 8.3 and 12). */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseWav } from '../../lib/wav.ts'
import { findKeys, maskRecording } from './recording.ts'

const FOLDER = '/usr/share/asterisk/sounds'
const skip = !existsSync(FOLDER) && 'not installed here: Debian package asterisk-core-sounds-en-wav'

test('25 minutes of speech: no key is heard, and at most 0.2 % is masked', { skip }, (t) => {
  let falseKeys = 0
  let maskedMs = 0
  let totalMs = 0
  let longestMs = 0
  // The language folders are links to one another: real files only.
  const files = globSync(`${FOLDER}/*_*_*_*/**/*.wav`)
  for (const file of files) {
    const wav = parseWav(readFileSync(file))
    if (typeof wav === 'string' || wav.rateHz !== 8_000) continue
    const samples = wav.samples[0] ?? new Int16Array(0)
    falseKeys += findKeys(samples, 8_000).length
    totalMs += samples.length / 8
    for (const { startMs, endMs } of maskRecording(samples, 8_000).spans) {
      maskedMs += endMs - startMs
      longestMs = Math.max(longestMs, endMs - startMs)
    }
  }
  const percent = (100 * maskedMs) / totalMs
  t.diagnostic(
    `${(totalMs / 60_000).toFixed(1)} min: ${falseKeys} keys, ${percent.toFixed(3)} % masked, longest ${longestMs} ms`,
  )
  assert.ok(totalMs > 60_000, 'too little speech was found to judge by')
  assert.equal(falseKeys, 0)
  assert.ok(percent <= 0.2, `${percent} % masked`)
  assert.ok(longestMs <= 150, `${longestMs} ms in one piece`)
})
