import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecureMode } from './secure-mode.ts'

test('late keys after the capture closed are still masked: the call cools down first', () => {
  const secure = new SecureMode()
  secure.captureOpened()
  assert.equal(secure.state, 'armed')
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
  secure.captureOpened()
  assert.equal(secure.wake(1e9), undefined)
  assert.equal(secure.state, 'armed')
})

test('closing what was never opened does not disarm later', () => {
  const secure = new SecureMode()
  secure.captureClosed(0)
  assert.equal(secure.nextWakeAtMs(), undefined)
})

test('a caller who keys on after the capture was cancelled stays masked until 3 s after the last key', () => {
  const secure = new SecureMode()
  secure.captureOpened()
  secure.captureClosed(0)
  for (let atMs = 500; atMs <= 10_000; atMs += 500) {
    secure.keyMasked(atMs)
    assert.equal(secure.wake(atMs + 400), undefined)
  }
  assert.equal(secure.wake(12_999), undefined)
  assert.equal(secure.wake(13_000), 'disarm')
  secure.keyMasked(13_100)
  assert.equal(secure.nextWakeAtMs(), undefined, 'a key in clear arms nothing')
})
