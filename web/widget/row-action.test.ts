import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Field } from './contract.ts'
import { rowAction } from './row-action.ts'
import { emptyPanel, type Panel } from './state.ts'

const field = (state: Field['state']): Field => ({ field: 'expiry', state, count: 0 })
const ready: Panel = { ...emptyPanel(''), link: 'live', call: 'answered' }
const taking = (mode: Panel['mode'], ...fields: Field[]): Panel => ({
  ...ready,
  mode,
  capture: { captureId: 'A', mode, open: true, secured: true, fields },
})

test('field by field, each row is requested, reset and requested again by its own button', () => {
  const panel = taking('field', field('idle'))
  const verbs = (['idle', 'requested', 'collecting', 'valid', 'error'] as const).map(
    (state) => rowAction(panel, field(state), false)?.verb,
  )
  assert.deepEqual(verbs, ['request', 'reset', 'reset', 'reset', 'request'])
})

test('a field with a key that was not clear is asked for again in one click', () => {
  const unclear: Field = { ...field('collecting'), count: 3, uncertain: { why: 'too-short', at: 2 } }
  assert.deepEqual(rowAction(taking('field', unclear), unclear, false), {
    verb: 'request',
    label: 'Request again',
    enabled: true,
  })
})

test('in one go there is one button, until nothing is asked any more', () => {
  const panel: Panel = { ...ready, mode: 'continuous' }
  assert.equal(rowAction(panel, field('idle'), true)?.verb, 'request-all')
  assert.equal(rowAction(panel, field('idle'), false), undefined)
  assert.equal(rowAction(taking('continuous', field('collecting')), field('idle'), false), undefined)
  assert.equal(rowAction(taking('continuous', field('error')), field('idle'), false)?.verb, 'request')
})

test('no order is offered before the answer, without control or card zone, or after the card was sent', () => {
  const panels: Panel[] = [
    { ...ready, call: 'ringing' },
    { ...ready, call: 'ended' },
    { ...ready, link: 'lost' },
    { ...ready, cardZone: 'down' },
    { ...ready, busy: 'opening' },
    { ...ready, capture: { captureId: 'A', mode: 'field', open: false, secured: false, fields: [] } },
  ]
  for (const panel of panels) assert.equal(rowAction(panel, field('idle'), true)?.enabled, false)
  assert.equal(rowAction(ready, field('idle'), true)?.enabled, true)
})
