import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { eventually } from '../../../../test/support/eventually.ts'
import { seededRandom } from '../../../lib/random.ts'
import { DtlsAssociation } from './association.ts'
import { type DtlsIdentity, fingerprintOf, makeIdentity } from './certificate.ts'
import { openContext } from './context.ts'
import type { Fingerprint } from './fingerprint.ts'

const SEED = 5_764
const random = seededRandom(SEED)
const NOW_MS = Date.UTC(2026, 10, 22)

interface Party {
  readonly context: number
  readonly fingerprint: Fingerprint
}

function party(identity: DtlsIdentity = makeIdentity(random, NOW_MS)): Party {
  return { context: openContext(identity) ?? assert.fail('no context'), fingerprint: fingerprintOf(identity) }
}

const alice = party()
const bob = party()

/** What a network does to one datagram: what arrives of it, in order. */
type Network = (datagram: Uint8Array, number: number) => readonly Uint8Array[]
const perfect: Network = (datagram) => [datagram]

interface Pair {
  readonly client: DtlsAssociation
  readonly server: DtlsAssociation
  /** Carries datagrams to and fro until neither side has any. */
  carry(toServer: readonly Uint8Array[], toClient?: readonly Uint8Array[]): void
}

function pair(network: Network = perfect): Pair {
  const client = new DtlsAssociation(alice.context, 'client')
  const server = new DtlsAssociation(bob.context, 'server')
  let number = 0
  return {
    client,
    server,
    carry(toServer, toClient = []) {
      let [up, down] = [toServer, toClient]
      for (let round = 0; round < 40 && up.length + down.length > 0; round++) {
        const arrivedUp = up.flatMap((datagram) => network(datagram, number++))
        const arrivedDown = down.flatMap((datagram) => network(datagram, number++))
        down = arrivedUp.flatMap((datagram) => server.receive(datagram))
        up = arrivedDown.flatMap((datagram) => client.receive(datagram))
      }
    },
  }
}

function assertKeyed({ client, server }: Pair): void {
  assert.deepEqual([client.state, server.state], ['open', 'open'], `seed ${SEED}`)
  assert.ok(client.isPeer([bob.fingerprint]) && server.isPeer([alice.fingerprint]))
  const [atClient, atServer] = [client.exportKeys() ?? assert.fail(), server.exportKeys() ?? assert.fail()]
  assert.equal(atClient.suite.name, atServer.suite.name)
  assert.ok(atClient.own.equals(atServer.peer) && atClient.peer.equals(atServer.own), 'the two sides have other keys')
  assert.ok(!atClient.own.equals(atClient.peer), 'both directions have one key')
}

function close({ client, server }: Pair): void {
  client.close()
  server.close()
}

test('our certificate is one: version 3, signed by itself, of the fingerprint that we tell', () => {
  const identity = makeIdentity(random, NOW_MS)
  const certificate = new X509Certificate(identity.certificate)
  assert.ok(certificate.verify(certificate.publicKey))
  assert.equal(certificate.subject, 'CN=tonewall')
  assert.equal(certificate.fingerprint256.replaceAll(':', '').toLowerCase(), fingerprintOf(identity).hex)
  assert.ok(Date.parse(certificate.validFrom) < NOW_MS && Date.parse(certificate.validTo) > NOW_MS)
  party(identity)
  assert.ok(
    identity.privateKey.every((octet) => octet === 0),
    'the private key stayed behind',
  )
})

test('both sides of a handshake have the same keys, one for each direction, and before it none', () => {
  const both = pair()
  const first = both.client.start()
  assert.equal(both.client.exportKeys(), undefined)
  assert.equal(both.server.isPeer([alice.fingerprint]), false, 'a peer that has shown nothing yet')
  both.carry(first)
  assertKeyed(both)
  close(both)
})

test('the peer is whose fingerprint SDP had, and nobody else', () => {
  const both = pair()
  both.carry(both.client.start())
  assert.equal(both.client.isPeer([alice.fingerprint]), false)
  assert.equal(both.client.isPeer([]), false)
  assert.equal(both.client.isPeer([alice.fingerprint, bob.fingerprint]), true)
  assert.equal(both.client.isPeer([{ hash: 'sha-384', hex: bob.fingerprint.hex.padEnd(96, '0') }]), false)
  close(both)
})

for (const lost of [0, 1, 2, 3]) {
  test(`a handshake whose datagram ${lost} is lost is made good by sending the flight again`, async () => {
    const both = pair((datagram, number) => (number === lost ? [] : [datagram]))
    both.carry(both.client.start())
    // OpenSSL looks at its own clock: a flight is sent again after a second (RFC 6347 4.2.4.1).
    await eventually('the handshake', 5_000, async () => {
      both.carry(both.client.wake(), both.server.wake())
      return both.client.state === 'open' && both.server.state === 'open' ? true : undefined
    })
    assertKeyed(both)
    close(both)
  })
}

test('every datagram that arrives twice, and all of an old handshake once more, change nothing', () => {
  const seen: Uint8Array[] = []
  const both = pair((datagram) => {
    seen.push(datagram)
    return [datagram, datagram]
  })
  both.carry(both.client.start())
  assertKeyed(both)
  const before = both.client.exportKeys() ?? assert.fail()
  for (const datagram of seen) {
    both.server.receive(datagram)
    both.client.receive(datagram)
  }
  assertKeyed(both)
  assert.ok(both.client.exportKeys()?.own.equals(before.own))
  close(both)
})

test('garbage between the flights is dropped, in whatever way it looks like DTLS', () => {
  const both = pair((datagram) => {
    const noise = random(random(1)[0] ?? 0)
    const wrongVersion = datagram.slice()
    wrongVersion[1] = 3
    const cutShort = datagram.subarray(0, datagram.length - 1)
    return [noise, Uint8Array.of(22, 254, 253), wrongVersion, cutShort, datagram]
  })
  both.carry(both.client.start())
  assertKeyed(both)
  close(both)
})

test('two clients, or two servers, never come to an end', () => {
  const one = new DtlsAssociation(alice.context, 'client')
  const other = new DtlsAssociation(bob.context, 'client')
  let datagrams = one.start()
  for (let round = 0; round < 10; round++) {
    datagrams = datagrams.flatMap((datagram) => other.receive(datagram)).flatMap((answer) => one.receive(answer))
  }
  assert.notEqual(one.state, 'open')
  assert.equal(one.exportKeys(), undefined)
  assert.deepEqual(new DtlsAssociation(bob.context, 'server').start(), [], 'a server speaks first')
})

test('a handshake that is flipped in any one octet gives keys to both sides alike, or to neither', () => {
  for (let round = 0; round < 60; round++) {
    const both = pair((datagram, number) => {
      const changed = datagram.slice()
      const at = ((random(1)[0] ?? 0) * 256 + (random(1)[0] ?? 0)) % changed.length
      if (number === round % 4) changed[at] = (changed[at] ?? 0) ^ (1 << (round % 8))
      return [changed]
    })
    both.carry(both.client.start())
    const [atClient, atServer] = [both.client.exportKeys(), both.server.exportKeys()]
    if (atClient === undefined || atServer === undefined) continue
    assert.ok(atClient.own.equals(atServer.peer) && atClient.peer.equals(atServer.own), `seed ${SEED}, round ${round}`)
    close(both)
  }
})

test('what is closed says nothing and knows nothing', () => {
  const both = pair()
  both.carry(both.client.start())
  close(both)
  assert.deepEqual(both.client.receive(Uint8Array.of(22, 254, 253)), [])
  assert.deepEqual(both.client.wake(), [])
  assert.equal(both.client.exportKeys(), undefined)
  assert.equal(both.client.isPeer([bob.fingerprint]), false)
  both.client.close()
})
