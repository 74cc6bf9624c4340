import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecureMode } from './secure-mode.ts'

test('late keys after the capture closed are still masked: the call cools down first', () => {
  const secure = new SecureMode()
  assert.equal(secure.captureOpened(), 'arm')
  secure.captureClosed(1_000)
  assert.equal(secure.state, 'cooling')
  assert.equal(secure.wake(3_999), undefined)
  assert.equal(secure.nextWakeAtMs(), 4_000)
  assert.equal(secure.wake(4_000), 'disarm')
  assert.equal(secure.state, 'clear')
})

test('a capture that opens while cooling keeps the mask closed without a seam', () => {
  const secure = new SecureMode()
  secure.captureOpened()
  secure.captureClosed(0)
  assert.equal(secure.captureOpened(), undefined)
  assert.equal(secure.wake(1e9), undefined)
  assert.equal(secure.state, 'armed')
})

test('closing what was never opened does not disarm later', () => {
  const secure = new SecureMode()
  secure.captureClosed(0)
  assert.equal(secure.nextWakeAtMs(), undefined)
})
