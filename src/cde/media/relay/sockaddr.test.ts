import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ipHost } from '../ip-host.ts'
import { readSockaddr, SOCKADDR_OCTETS, writeSockaddr } from './sockaddr.ts'

test('every spelling of an address comes back in the one in which sockets are compared', () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '255.254.1.0', '::1', '::', '2001:DB8:0:0:1::1', '::ffff:1.2.3.4']) {
    for (const port of [0, 1, 255, 256, 65_535]) {
      const octets = new Uint8Array(SOCKADDR_OCTETS + 8).fill(0xee)
      assert.ok(writeSockaddr(octets, 4, { host, port }) > 0, host)
      assert.deepEqual(readSockaddr(octets, 4), { host: ipHost(host), port })
      assert.deepEqual(
        [...octets.subarray(0, 4), ...octets.subarray(-4)],
        [0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee],
        'wrote beside it',
      )
    }
  }
})

test('names, ports out of range and other families are refused', () => {
  const octets = new Uint8Array(SOCKADDR_OCTETS)
  for (const [host, port] of [
    ['example', 9],
    ['1.2.3', 9],
    ['127.0.0.1', 70_000],
    ['127.0.0.1', -1],
    ['127.0.0.1', 1.5],
  ] as const) {
    assert.equal(writeSockaddr(octets, 0, { host, port }), 0, `${host} ${port}`)
  }
  assert.equal(readSockaddr(new Uint8Array(SOCKADDR_OCTETS).fill(1), 0), undefined)
})
