import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import { ipNetwork, isInNetworks } from './ip-network.ts'
import { randomUnit, seededRandom } from './random.ts'

test('what is no network is told from what is one', () => {
  for (const text of [
    '10.0.0.0/8',
    '198.51.100.7',
    '0.0.0.0/0',
    '2001:db8::/32',
    '::/0',
    '::1',
    '::ffff:10.0.0.1',
    'FE80::/10',
  ]) {
    assert.ok(ipNetwork(text) !== undefined, text)
  }
  for (const text of [
    '',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0/8',
    '::1/129',
    '2001:db8::1/32',
    'pbx.example',
    '1.2.3.4/',
    '1.2.3.4/-1',
    'fe80::1%eth0',
    '10.0.0.0/8/8',
  ]) {
    assert.equal(ipNetwork(text), undefined, text)
  }
})

test('a host is in a network or not, as Node’s own block list has it', () => {
  const random = seededRandom(51)
  const octet = (): number => Math.floor(randomUnit(random) * 256)
  const group = (): string => ((octet() << 8) | octet()).toString(16)
  let inside = 0
  for (let run = 0; run < 3_000; run++) {
    const isIpv6 = run % 2 === 0
    const parts = Array.from({ length: isIpv6 ? 8 : 4 }, () => (isIpv6 ? group() : String(octet())))
    const address = parts.join(isIpv6 ? ':' : '.')
    const prefix = Math.floor(randomUnit(random) * (isIpv6 ? 129 : 33))
    // Close to the network, so that some are in it.
    const flipped = Math.floor(randomUnit(random) * parts.length)
    const host = parts
      .map((part, i) => (i < flipped ? part : isIpv6 ? group() : String(octet())))
      .join(isIpv6 ? ':' : '.')
    const family = isIpv6 ? 'ipv6' : 'ipv4'
    const list = new BlockList()
    list.addSubnet(address, prefix, family)
    const network = ipNetwork(networkOf(address, prefix, isIpv6)) ?? assert.fail(`${address}/${prefix}`)
    const expected = list.check(host, family)
    if (expected) inside++
    assert.equal(isInNetworks(host, [network]), expected, `seed 51: ${host} in ${address}/${prefix}`)
  }
  assert.ok(inside > 300, `${inside}`)
  // The families are apart, and a name is nowhere.
  const all = ['0.0.0.0/0', '10.0.0.0/8'].map((text) => ipNetwork(text) ?? assert.fail())
  assert.deepEqual(
    [isInNetworks('::1', all), isInNetworks('localhost', all), isInNetworks('1.2.3.4', all)],
    [false, false, true],
  )
})

/** The address with the bits behind the prefix cleared. */
function networkOf(address: string, prefix: number, isIpv6: boolean): string {
  const unit = isIpv6 ? 16 : 8
  const parts = address.split(isIpv6 ? ':' : '.').map((part, index) => {
    const bits = Math.min(unit, Math.max(0, prefix - index * unit))
    const mask = (((1 << unit) - 1) << (unit - bits)) & ((1 << unit) - 1)
    const value = Number.parseInt(part, isIpv6 ? 16 : 10) & mask
    return isIpv6 ? value.toString(16) : String(value)
  })
  return `${parts.join(isIpv6 ? ':' : '.')}/${prefix}`
}
