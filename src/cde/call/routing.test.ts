import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NumberSettings } from '../../wall/settings.ts'
import { findNumber } from './routing.ts'
import { hostAndPort, ownFrom } from './target.ts'

const common = { srtp: 'off', nat: 'none', maskPolicy: 'burst' } as const
const numbers: NumberSettings[] = [
  { id: 'sales', called: '+442079460000', destination: 'sip:sales@10.0.0.5', ...common },
  { id: 'desk', called: 'payments', destination: 'sip:desk@10.0.0.5', ...common },
]

test('a number is found however its digits are grouped, and by its user part only', () => {
  assert.equal(findNumber(numbers, 'sip:+442079460000@198.51.100.1:5060;user=phone')?.id, 'sales')
  assert.equal(findNumber(numbers, 'sip:+44(20)7946-0000;npdi@198.51.100.1')?.id, 'sales')
  assert.equal(findNumber(numbers, 'sips:payments@example.com')?.id, 'desk')
  assert.equal(findNumber(numbers, 'sip:442079460000@198.51.100.1')?.id, 'sales')
  assert.equal(findNumber(numbers, 'sip:2079460000@198.51.100.1'), undefined)
  assert.equal(findNumber(numbers, 'sip:198.51.100.1'), undefined)
  assert.equal(findNumber(numbers, 'tel:+442079460000'), undefined)
})

test('hosts of destination URIs: default port, explicit port, IPv6', () => {
  assert.deepEqual(hostAndPort('sip:sales@10.0.0.5'), { host: '10.0.0.5', port: 5060 })
  assert.deepEqual(hostAndPort('sip:sales@pbx.example:5080;transport=udp'), { host: 'pbx.example', port: 5080 })
  assert.deepEqual(hostAndPort('sip:[2001:db8::1]:5062'), { host: '2001:db8::1', port: 5062 })
  assert.equal(hostAndPort('tel:+1'), undefined)
})

test('the caller stays recognisable in From, the carrier’s host does not', () => {
  assert.equal(
    ownFrom('"Alex" <sip:+441632960142@carrier.example;user=phone>;tag=1', '192.0.2.10'),
    '"Alex" <sip:+441632960142@192.0.2.10>',
  )
  assert.equal(ownFrom('sip:alice@carrier.example;tag=1', '2001:db8::1'), '<sip:alice@[2001:db8::1]>')
  assert.equal(ownFrom('<tel:+441632960142>', '192.0.2.10'), '<sip:+441632960142@192.0.2.10>')
  assert.match(ownFrom('garbage', '192.0.2.10'), /anonymous/)
})
