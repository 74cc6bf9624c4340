import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ipHost, isMulticast, isUnspecified } from './ip-host.ts'

test('IPv4 literals are taken as they are, IPv6 in its short form', () => {
  assert.equal(ipHost('192.0.2.1'), '192.0.2.1')
  assert.equal(ipHost('255.255.255.255'), '255.255.255.255')
  assert.equal(ipHost('2001:0DB8:0:0:0::1'), '2001:db8::1')
  assert.equal(ipHost('::'), '::')
})

test('names, odd numbers and half addresses are no literals', () => {
  for (const text of [
    'localhost',
    'example.com',
    '1.2.3',
    '1.2.3.4.',
    '1.2.3.256',
    '01.2.3.4',
    '0x7f.1',
    '2130706433',
    '1.2.3.4/127',
    'fe80::1%eth0',
    ':::',
    '12345::',
    '[::1]',
    '',
  ]) {
    assert.equal(ipHost(text), undefined, text)
  }
})

test('nobody and everybody are told apart from somebody', () => {
  assert.deepEqual(['0.0.0.0', '::', '10.0.0.0', '::1'].map(isUnspecified), [true, true, false, false])
  assert.deepEqual(['224.0.0.1', '239.255.1.1', 'ff02::1', '223.0.0.1', '2001:db8::ff', '22.4.0.1'].map(isMulticast), [
    true,
    true,
    true,
    false,
    false,
    false,
  ])
})
