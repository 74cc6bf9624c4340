import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from './log.ts'

test('a line that holds what looks like a card number is withheld whole, wherever in it the number stands, and counted', () => {
  const lines: string[] = []
  let leaks = 0
  const log = createLog('test', { write: (line) => lines.push(line) }, () => leaks++)
  log.info({ field: 'pan 4242 4242 4242 4242' }, 'in a value')
  log.info({ '4242424242424242': 1 }, 'in a key')
  log.error({ deep: { list: ['4242424242424242'] } }, 'deep')
  log.warn({}, 'in the message: 4242-4242-4242-4242')
  assert.equal(leaks, 4)
  assert.ok(lines.every((line) => line.includes('withheld') && !line.includes('4242')))
})

test('other lines pass, as one JSON object each', () => {
  const lines: string[] = []
  const log = createLog('test', { write: (line) => lines.push(line) })
  log.info({ callId: 'BCDFGHJKLMNPQRSTVW', count: 16 }, 'field done')
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  assert.equal(line['msg'], 'field done')
  assert.equal(line['callId'], 'BCDFGHJKLMNPQRSTVW')
})
