/** The published numbers: RFC 3711 appendix B, RFC 7714 sections 16 and 17; and SHA-1 against Node's. */
import assert from 'node:assert/strict'
import { createCipheriv, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { seededRandom } from '../../../lib/random.ts'
import { AeadTransform } from './aead-transform.ts'
import { AesCounter } from './aes-counter.ts'
import { HmacSha1 } from './hmac-sha1.ts'
import { deriveSessionKeys } from './key-derivation.ts'
import { MasterKey } from './master-key.ts'
import { type SuiteName, suiteNamed } from './suites.ts'

const SEED = 3_711
const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function suite(name: SuiteName) {
  const found = suiteNamed(name)
  assert.ok(found)
  return found
}

test('RFC 3711 B.2: the keystream of AES in counter mode', () => {
  const counter = new AesCounter(octets('2B7E151628AED2A6ABF7158809CF4F3C'), octets('F0F1F2F3F4F5F6F7F8F9FAFBFCFD'))
  const at = counter.seek(0, 0, 0, 48)
  assert.equal(
    hex(counter.stream.subarray(at, at + 48)),
    'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
  )
})

test('RFC 3711 B.3: session keys from the master key', () => {
  const master = new MasterKey(octets('E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6'), 16)
  const keys = deriveSessionKeys(master, suite('AES_CM_128_HMAC_SHA1_80'), 'rtp')
  assert.equal(hex(keys.cipherKey), 'c61e7a93744f39ee10734afe3ff7a087')
  assert.equal(hex(keys.salt), '30cbbc08863d8c85d49db34a9ae1')
  assert.equal(hex(keys.authKey), 'cebe321f6ff7716b6fd4ab49af256a156d38baa4')
})

const salt = octets('517569642070726f2071756f')
const key = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i)
const aead = (keyOctets: number) => {
  const keys = { cipherKey: key(keyOctets), salt, authKey: new Uint8Array() }
  return new AeadTransform({ rtp: keys, rtcp: keys })
}

const rtp = '8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573'
const rtcp = '81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef'

test('RFC 7714 16: SRTP under AES-GCM with either key length, both ways', () => {
  for (const [keyOctets, expected] of [
    [
      16,
      `8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
       51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`,
    ],
    [
      32,
      `8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02
       76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13`,
    ],
  ] as const) {
    const plain = octets(rtp)
    const packet = new Uint8Array(plain.length + 16)
    packet.set(plain)
    const transform = aead(keyOctets)
    const index = { rollover: 0, sequence: 0xf17b }
    const length = transform.sealRtp(packet, 12, plain.length, 0x5501a0b2, index)
    assert.equal(hex(packet.subarray(0, length)), hex(octets(expected)))
    assert.equal(transform.openRtp(packet, 12, length, 0x5501a0b2, index, 0), plain.length)
    assert.equal(hex(packet.subarray(0, plain.length)), hex(plain))
  }
})

test('RFC 7714 17: SRTCP under AES-GCM, encrypted and tagged, both ways', () => {
  const plain = octets(rtcp)
  const packet = new Uint8Array(plain.length + 20)
  packet.set(plain)
  const transform = aead(16)
  const length = transform.sealRtcp(packet, plain.length, 0x4d617273, 0x5d4)
  assert.equal(
    hex(packet.subarray(0, length)),
    hex(
      octets(`81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
              4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`),
    ),
  )
  assert.equal(transform.openRtcp(packet, length, 0x4d617273, 0x5d4, 0), plain.length)
  assert.equal(hex(packet.subarray(0, plain.length)), hex(plain))
})

test('our AES-GCM is that of node:crypto for every length of packet, header and key, in a row and out of order', () => {
  const random = seededRandom(SEED + 1)
  for (const keyOctets of [16, 32] as const) {
    const keys = { cipherKey: random(keyOctets), salt: new Uint8Array(12), authKey: new Uint8Array() }
    const transform = new AeadTransform({ rtp: keys, rtcp: keys })
    for (let length = 0; length <= 400; length++) {
      const headerOctets = 12 + 4 * (length % 9)
      const plain = random(headerOctets + length)
      const index = { rollover: length >> 5, sequence: (65_400 + (length ^ 3)) & 0xffff }
      // With a salt of zeros the IV is the SSRC, the rollover counter and the sequence number (RFC 7714 8.1).
      const iv = Buffer.alloc(12)
      iv.writeUInt32BE(0x8765_4321, 2)
      iv.writeUInt32BE(index.rollover, 6)
      iv.writeUInt16BE(index.sequence, 10)
      const name = keyOctets === 16 ? 'aes-128-gcm' : 'aes-256-gcm'
      const theirs = createCipheriv(name, keys.cipherKey, iv).setAAD(plain.subarray(0, headerOctets))
      const text = Buffer.concat([theirs.update(plain.subarray(headerOctets)), theirs.final()])
      const packet = Uint8Array.from([...plain, ...new Uint8Array(16)])
      transform.sealRtp(packet, headerOctets, plain.length, 0x8765_4321, index)
      assert.equal(
        hex(packet.subarray(headerOctets)),
        hex(Buffer.concat([text, theirs.getAuthTag()])),
        `seed ${SEED + 1} key ${keyOctets} length ${length}`,
      )
    }
  }
})

test('our HMAC-SHA1 is that of node:crypto for every length of packet and key, with and without trailer', () => {
  const random = seededRandom(SEED)
  for (let length = 0; length <= 400; length++) {
    const hmacKey = random(1 + (length % 64))
    const message = random(length + 8)
    const trailer = Buffer.from(random(4))
    const ours = new HmacSha1(hmacKey)
    const theirs = () => createHmac('sha1', hmacKey).update(message.subarray(0, length))
    const facts = `seed ${SEED} length ${length}`
    assert.equal(hex(ours.sign(message, length, undefined)), theirs().digest('hex'), facts)
    assert.equal(
      hex(ours.sign(message, length, trailer.readUInt32BE(0))),
      theirs().update(trailer).digest('hex'),
      facts,
    )
  }
})
