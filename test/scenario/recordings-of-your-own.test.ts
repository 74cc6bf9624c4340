/** `tonewall mask` and `tonewall digits`: the judge that anyone can use, on mono and stereo, at each rate, and on bad input. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../src/lib/random.ts'
import { parseWav, writeWav } from '../../src/lib/wav.ts'
import { synthesizeKeys } from '../../src/sim/tones.ts'
import { type Finished, runProgram } from '../support/processes.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const SEED = 11
const KEYS = [4, 2, 4, 2, 10, 0, 11]

interface Judged {
  heardByDecoders: number
  leastSquares: { right: number; interval: [number, number] }
}

const tonewall = (...args: string[]): Promise<Finished> =>
  runProgram(process.execPath, [MAIN, ...args], { timeoutMs: 60_000 })

function keyed(rateHz: number): Int16Array {
  const { samples } = synthesizeKeys(
    KEYS,
    { toneMs: 70, gapMs: 60, leadSamples: 4_000, tailSamples: 4_000 },
    seededRandom(SEED),
  )
  const factor = rateHz / 8_000
  // Linear interpolation keeps tones below 2 kHz as they are.
  return Int16Array.from({ length: samples.length * factor }, (_, n) => {
    const at = n / factor
    const before = samples[Math.floor(at)] ?? 0
    return Math.round(before + ((samples[Math.floor(at) + 1] ?? before) - before) * (at % 1))
  })
}

for (const rateHz of [8_000, 16_000, 48_000]) {
  test(`a stereo recording at ${rateHz} Hz: digits finds all keys before, none after mask`, {
    timeout: 90_000,
  }, async () => {
    await using folder = await temporaryFolder('mask')
    const silent = new Int16Array(keyed(rateHz).length)
    await writeFile(folder.file('in.wav'), writeWav([keyed(rateHz), silent], rateHz))
    const before = await tonewall('digits', folder.file('in.wav'), '--json')
    const found = JSON.parse(before.stdout.toString('utf8')) as { keys: { key: string; channel: number }[] }
    assert.equal(found.keys.map(({ key }) => key).join(''), '4242*0#', `seed ${SEED}`)
    assert.ok(found.keys.every(({ channel }) => channel === 1))

    const masked = await tonewall('mask', folder.file('in.wav'), folder.file('out.wav'), '--json')
    assert.equal(masked.code, 0, masked.stderr)
    const figures = JSON.parse(masked.stdout.toString('utf8')) as {
      channels: { spans: unknown[]; maskedPercent: number }[]
    }
    assert.ok((figures.channels[0]?.spans.length ?? 0) > 0)
    assert.equal(figures.channels[1]?.spans.length, 0)
    const out = parseWav(await readFile(folder.file('out.wav')))
    assert.ok(typeof out !== 'string' && out.rateHz === rateHz && out.samples[0]?.length === silent.length)
    const after = await tonewall('digits', folder.file('out.wav'), '--json')
    assert.deepEqual((JSON.parse(after.stdout.toString('utf8')) as { keys: unknown[] }).keys, [])
  })
}

test('digits --judge: every known key is given away before, none after mask, and no key is printed', async () => {
  await using folder = await temporaryFolder('judge')
  const { samples, spans } = synthesizeKeys(KEYS, { toneMs: 70, gapMs: 60 }, seededRandom(SEED))
  await writeFile(folder.file('in.wav'), writeWav([samples], 8_000))
  const truth = spans.map(({ from, to }, i) => ({
    key: '0123456789*#'[KEYS[i] ?? 0],
    startMs: from / 8,
    endMs: to / 8,
  }))
  await writeFile(folder.file('truth.json'), JSON.stringify(truth))
  await tonewall('mask', folder.file('in.wav'), folder.file('out.wav'))
  const judged = (file: string) =>
    tonewall('digits', '--judge', folder.file(file), '--truth', folder.file('truth.json'), '--json')
  const [before, after] = await Promise.all([judged('in.wav'), judged('out.wav')])
  assert.equal(before.code, 1)
  assert.equal(after.code, 0, after.stderr)
  const [clear, masked] = [before, after].map(({ stdout }) => JSON.parse(stdout.toString('utf8')) as Judged)
  assert.equal(clear?.leastSquares.right, KEYS.length)
  assert.equal(clear?.heardByDecoders, KEYS.length)
  assert.equal(masked?.heardByDecoders, 0)
  assert.ok((masked?.leastSquares.interval[0] ?? 1) <= 0)
  assert.doesNotMatch(before.stdout.toString('utf8'), /key/)
})

test('files that are missing, no WAV, or of another rate: a sentence and exit code 2, nothing written', async () => {
  await using folder = await temporaryFolder('mask')
  await writeFile(folder.file('text.wav'), 'not audio')
  await writeFile(folder.file('odd.wav'), writeWav([new Int16Array(100)], 11_025))
  for (const [args, says] of [
    [['digits', folder.file('none.wav')], /cannot be read/],
    [['digits', folder.file('text.wav')], /no WAV/],
    [['digits', folder.file('odd.wav')], /8, 16 or 48 kHz/],
    [['mask', folder.file('odd.wav')], /takes two files/],
    [['mask', folder.file('odd.wav'), folder.file('o.wav'), '--replacement', 'beep'], /flat, silence or comfort/],
    [['digits'], /at least one file/],
    [['digits', '--judge', folder.file('odd.wav')], /--truth/],
    [['digits', '--judge', folder.file('odd.wav'), '--truth', folder.file('text.wav')], /not JSON/],
    [['digits', '--frobnicate'], /an option it does not have/],
  ] as const) {
    const { code, stderr } = await tonewall(...args)
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr, says)
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace for a wrong call')
  }
  await assert.rejects(readFile(folder.file('o.wav')))
})
