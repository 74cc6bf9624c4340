import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Harness, KEY, sha256 } from '../testing/harness.test-kit.ts'

const METRICS_KEY = 'a-key-for-the-metrics-and-for-nothing-else'

test('without a key of their own, the metrics are for programs of this machine, and not for whom a proxy speaks', async () => {
  await using control = await Harness.start()
  assert.equal((await control.call('GET', '/metrics', { key: '' })).status, 200)
  for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via']) {
    const passedOn = await control.call('GET', '/metrics', { key: KEY, headers: { [name]: 'for=203.0.113.9' } })
    assert.equal(passedOn.status, 401, name)
    assert.doesNotMatch(passedOn.text, /tonewall_/)
  }
})

test('with a key, that key reads the metrics from anywhere, and nothing else does', async () => {
  await using control = await Harness.start({ metricsKey: sha256(METRICS_KEY) })
  const headers = { 'X-Forwarded-For': '203.0.113.9' }
  assert.equal((await control.call('GET', '/metrics', { key: METRICS_KEY, headers })).status, 200)
  for (const key of ['', KEY, METRICS_KEY.slice(1), `${METRICS_KEY}x`]) {
    assert.equal((await control.call('GET', '/metrics', { key })).status, 401)
  }
  // It opens no merchant's business.
  assert.equal((await control.call('GET', '/v1/calls', { key: METRICS_KEY })).status, 401)
})
