/** The demo call of the README: its figures, its files, and that its leak check can fail. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findKeys } from '../../src/cde/dtmf/recording.ts'
import { findCardNumber } from '../../src/lib/luhn-scan.ts'
import { parseWav } from '../../src/lib/wav.ts'
import { runProgram } from '../support/processes.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

test('three cards in three carriages, one wrong key, one decline: all captured, nothing recovered', {
  timeout: 120_000,
}, async () => {
  await using folder = await temporaryFolder('demo')
  const args = [MAIN, 'demo', '--json', '--out', folder.path]
  const { stdout, stderr } = await runProgram(process.execPath, args, { timeoutMs: 110_000 })
  const lines = stdout.toString('utf8').trimEnd().split('\n')
  assert.ok(lines.length > 10, `no timeline: ${stderr.slice(-2_000)}`)
  const result = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>
  assert.equal(result['calls'], 1)
  assert.equal(result['recovered'], 0)
  assert.deepEqual(result['captured'], { 'in-band': 23, event: 23, info: 23 })
  const payments = result['payments'] as { result: string }[]
  assert.deepEqual(
    payments.map((payment) => payment.result),
    ['declined', 'approved', 'approved'],
  )
  // How fast keys reach the screen is a figure of the machine, not of this test.
  assert.deepEqual(
    (result['off'] as string[]).filter((what) => what !== 'keys reach the screen late'),
    [],
  )

  const picture = await readFile(folder.file('spectrograms.png'))
  assert.equal(picture.subarray(1, 4).toString('latin1'), 'PNG')
  const keysIn = async (name: string): Promise<number> => {
    const wav = parseWav(await readFile(folder.file(name)))
    assert.ok(typeof wav !== 'string')
    return findKeys(wav.samples[0] ?? new Int16Array(), wav.rateHz).length
  }
  // 77 keys were pressed, some of them under the caller's own voice, where a strict reporter may miss one.
  assert.ok((await keysIn('caller.wav')) >= 65, 'the keys sound in what the caller sent')
  assert.equal(await keysIn('agent.wav'), 0)
  for (const name of ['tonewall.log', 'simulated.sqlite', 'tonewall.json']) {
    const text = (await readFile(folder.file(name))).toString('latin1')
    assert.equal(findCardNumber(text), -1, `${name} holds what looks like a card number`)
  }
})
