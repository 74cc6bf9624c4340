import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BIN_HZ, ColumnMaker, HOP_SAMPLES, RATE_HZ } from './columns.ts'

const sine = (hz: number, amplitude: number, count: number): Int16Array =>
  Int16Array.from({ length: count }, (_, n) => amplitude * 32_767 * Math.sin((2 * Math.PI * hz * n) / RATE_HZ))

function lastColumn(samples: Int16Array): number[] {
  let last: number[] = []
  new ColumnMaker().push(samples, (column) => {
    last = [...column]
  })
  return last
}

test('one column comes out per hop, however the samples are cut', () => {
  for (const cut of [1, 79, 80, 81, 160, 1_000]) {
    const maker = new ColumnMaker()
    let columns = 0
    for (let sent = 0; sent + cut <= 8_000; sent += cut) maker.push(new Int16Array(cut), () => columns++)
    assert.equal(columns, Math.floor((Math.floor(8_000 / cut) * cut) / HOP_SAMPLES), `cut ${cut}`)
  }
})

test('the loudest bin of a DTMF frequency lies on it', () => {
  for (const hz of [697, 770, 852, 941, 1209, 1336, 1477]) {
    const column = lastColumn(sine(hz, 0.1, 800))
    const loudest = column.indexOf(Math.max(...column))
    assert.ok(Math.abs(loudest * BIN_HZ - hz) <= BIN_HZ, `${hz} Hz drawn at ${loudest * BIN_HZ} Hz`)
  }
})

test('silence is nothing, a full-scale tone is everything, and both stay within bounds', () => {
  assert.equal(Math.max(...lastColumn(new Int16Array(800))), 0)
  assert.equal(Math.max(...lastColumn(sine(1000, 1, 800))), 1)
})
