import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callLimits } from '../../lib/limits.ts'
import { passedHeaders, reportedHeaders } from './headers.ts'

const names = (headers: readonly { name: string }[]): string[] => headers.map(({ name }) => name)

test('only allow-listed headers cross, with their octets and order', () => {
  const received = [
    { name: 'Via', value: 'SIP/2.0/UDP 192.0.2.1' },
    { name: 'x-Account', value: '  odd   spacing ' },
    { name: 'Contact', value: '<sip:a@192.0.2.1>' },
    { name: 'User-to-User', value: '56a390f3;encoding=hex' },
    { name: 'Identity', value: 'eyJ;info=<https://cert.example>' },
    { name: 'X-Other', value: '1' },
  ]
  const passed = passedHeaders(received, ['X-Account', 'User-to-User'])
  assert.deepEqual(names(passed), ['x-Account', 'User-to-User', 'Identity'])
  assert.equal(passed[0]?.value, '  odd   spacing ')
})

test('nobody can pretend to be one of our calls, even if configured', () => {
  assert.deepEqual(passedHeaders([{ name: 'x-tonewall-call', value: 'BCDF' }], ['X-Tonewall-Call']), [])
})

test('a flood of headers is cut at the bound', () => {
  const flood = Array.from({ length: 500 }, () => ({ name: 'X-A', value: 'v'.repeat(200) }))
  const passed = passedHeaders(flood, ['X-A'])
  assert.equal(passed.length, callLimits.copiedHeadersMax)
  assert.deepEqual(passedHeaders([{ name: 'X-A', value: 'v'.repeat(5_000) }], ['X-A']), [])
})

test('a header value that looks like a card number is not told to control', () => {
  const received = [
    { name: 'X-A', value: 'ref 4242 4242 4242 4242' },
    { name: 'X-A', value: 'ref 17' },
  ]
  assert.deepEqual(reportedHeaders(received, ['X-A']), [{ name: 'X-A', value: 'ref 17' }])
})

test('headers that would make the report too large for the wall are left out, the call is still told', () => {
  const received = Array.from({ length: 32 }, () => ({ name: 'User-to-User', value: '"'.repeat(1_023) }))
  const reported = reportedHeaders(received, ['User-to-User'])
  assert.ok(reported.length > 0)
  assert.ok(JSON.stringify(reported).length <= callLimits.reportedHeadersOctetsMax + 2)
})
