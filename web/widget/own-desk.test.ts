import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ControlApi } from './api.ts'
import type { Capture } from './contract.ts'
import type { Desk } from './orders.ts'
import { ownDesk } from './own-desk.ts'
import { emptyPanel, reduce } from './state.ts'

const capture = (captureId: string, callId: string): Capture => {
  return { captureId, callId, state: 'open', mode: 'field', fields: [{ field: 'cardNumber', state: 'idle', count: 0 }] }
}

test("an answer that comes when the panel has another call is not put into that call's panel", () => {
  let sitting = 1
  let panel = emptyPanel('O')
  const shown: Desk = {
    api: new ControlApi('http://127.0.0.1:1/', 'token'),
    callId: 'C',
    panel: () => panel,
    apply: (action) => {
      panel = reduce(panel, action)
    },
  }
  const desk = ownDesk(shown, () => sitting === 1)
  desk.apply({ type: 'busy', busy: 'opening' })
  assert.equal(panel.busy, 'opening')

  sitting = 2
  panel = emptyPanel('O')
  desk.apply({ type: 'opened', capture: capture('A', 'C') })
  assert.deepEqual(panel, emptyPanel('O'))
  desk.apply({ type: 'refused', notice: 'charge-unanswered' })
  assert.equal(panel.notice, undefined)
  // The order itself goes on with what it has learnt: a charge still knows that it has no answer.
  assert.equal(desk.panel().capture?.captureId, 'A')
  assert.equal(desk.panel().notice, 'charge-unanswered')

  const next = ownDesk(shown, () => sitting === 2)
  next.apply({ type: 'opened', capture: capture('B', 'D') })
  assert.equal(panel.capture?.captureId, 'B')
})
