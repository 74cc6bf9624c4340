/**
 * One DTLS association (RFC 6347), from its first flight to its end. OpenSSL is the machine; nothing here opens a socket: what
 * comes in is handed over, what is to go out is given back. The one clock that it looks at itself is for its retransmissions.
 *
 *   handshaking ──Finished of both──► open
 *        └───── a fatal fault ─────► failed
 */
import { dtlsLimits } from '../../../lib/limits.ts'
import { MasterKey } from '../srtp/master-key.ts'
import { secretOctets } from '../srtp/secret-octets.ts'
import type { Suite } from '../srtp/suites.ts'
import type { Fingerprint } from './fingerprint.ts'
import { openssl, profileNumber } from './openssl.ts'
import { suiteOfProfile } from './profiles.ts'
import { datagramsOf } from './records.ts'

export type DtlsRole = 'client' | 'server'

/** The keys that an association brought forth. */
export interface ExportedKeys {
  readonly suite: Suite
  readonly own: MasterKey
  readonly peer: MasterKey
}

const SSL_CTRL_SET_MTU = 17
const DTLS_CTRL_HANDLE_TIMEOUT = 74
const BIO_CTRL_RESET = 1
const SSL_ERROR_WANT_READ = 2
const SSL_ERROR_WANT_WRITE = 3
/** RFC 5764 4.2. */
const LABEL = 'EXTRACTOR-dtls_srtp'

/** Where OpenSSL's flights and what peers send beyond the handshake are read into; one for all, used within a call only. */
const scratch = new Uint8Array(dtlsLimits.flightOctetsMax)

export class DtlsAssociation {
  readonly #role: DtlsRole
  readonly #incoming: number
  readonly #outgoing: number
  #session: number
  #state: 'handshaking' | 'open' | 'failed' = 'handshaking'

  /** @param context of `openContext`. @throws when there is no memory */
  constructor(context: number, role: DtlsRole) {
    this.#role = role
    this.#session = openssl.sessionNew(context)
    this.#incoming = openssl.bioNew(openssl.bioMemory())
    this.#outgoing = openssl.bioNew(openssl.bioMemory())
    if (this.#session === 0 || this.#incoming === 0 || this.#outgoing === 0) throw new Error('no memory for DTLS')
    openssl.setBios(this.#session, this.#incoming, this.#outgoing)
    openssl.sessionControl(this.#session, SSL_CTRL_SET_MTU, dtlsLimits.datagramOctetsMax, 0)
    openssl.setTimer(this.#session, openssl.retransmitAfter)
    if (role === 'client') openssl.beClient(this.#session)
    else openssl.beServer(this.#session)
  }

  get state(): 'handshaking' | 'open' | 'failed' {
    return this.#state
  }

  /** The client's first flight; nothing from a server. */
  start(): readonly Uint8Array[] {
    return this.#advance()
  }

  /** @returns what to send, as one's own octets */
  receive(datagram: Uint8Array): readonly Uint8Array[] {
    if (this.#session === 0) return []
    openssl.bioWrite(this.#incoming, datagram, datagram.length)
    const answers = this.#advance()
    // A datagram is read whole or not at all: nothing of it may stand before the next.
    openssl.bioControl(this.#incoming, BIO_CTRL_RESET, 0, 0)
    return answers
  }

  /** Sends a flight again whose answer is overdue; after a dozen times the handshake has failed. */
  wake(): readonly Uint8Array[] {
    if (this.#session === 0 || this.#state === 'failed') return []
    openssl.clearErrors()
    const isOver = openssl.sessionControl(this.#session, DTLS_CTRL_HANDLE_TIMEOUT, 0, 0) < 0
    if (isOver && this.#state === 'handshaking') this.#state = 'failed'
    return this.#flight()
  }

  /** Whether the certificate that the peer has proved to own is one of these. */
  isPeer(fingerprints: readonly Fingerprint[]): boolean {
    if (this.#state !== 'open') return false
    const certificate = openssl.peerCertificate(this.#session)
    if (certificate === 0) return false
    const isKnown = fingerprints.some(({ hash, hex }) => {
      const digest = openssl.digestNamed(hash.replace('-', ''))
      const octets = Buffer.alloc(64)
      if (digest === 0 || openssl.certificateDigest(certificate, digest, octets, 0) !== 1) return false
      return octets.toString('hex', 0, hex.length / 2) === hex
    })
    openssl.certificateFree(certificate)
    return isKnown
  }

  /** RFC 5764 4.2: client's key, server's key, client's salt, server's salt. @returns undefined where no profile was agreed */
  exportKeys(): ExportedKeys | undefined {
    const profile = this.#state === 'open' ? openssl.srtpProfile(this.#session) : 0
    const suite = profile === 0 ? undefined : suiteOfProfile(profileNumber(profile))
    if (suite === undefined) return undefined
    const { keyOctets, saltOctets } = suite
    const material = secretOctets(2 * (keyOctets + saltOctets))
    const exported = openssl.exportKeys(this.#session, material, material.length, LABEL, LABEL.length, null, 0, 0)
    const keyOf = (side: number): MasterKey => {
      const octets = secretOctets(keyOctets + saltOctets)
      octets.set(material.subarray(side * keyOctets, (side + 1) * keyOctets))
      const salts = material.subarray(2 * keyOctets)
      octets.set(salts.subarray(side * saltOctets, (side + 1) * saltOctets), keyOctets)
      return new MasterKey(octets, keyOctets)
    }
    const [ofClient, ofServer] = [keyOf(0), keyOf(1)]
    material.fill(0)
    const keys =
      this.#role === 'client' ? { suite, own: ofClient, peer: ofServer } : { suite, own: ofServer, peer: ofClient }
    if (exported === 1) return keys
    keys.own.wipe()
    keys.peer.wipe()
    return undefined
  }

  /** For good. OpenSSL wipes what it knew. */
  close(): void {
    if (this.#session !== 0) openssl.sessionFree(this.#session)
    this.#session = 0
    this.#state = 'failed'
  }

  #advance(): readonly Uint8Array[] {
    if (this.#session === 0 || this.#state === 'failed') return []
    openssl.clearErrors()
    // Once open, reading is what lets a peer whose last flight was lost have ours again. No data is expected: it is dropped.
    const result =
      this.#state === 'open' ? openssl.read(this.#session, scratch, scratch.length) : openssl.handshake(this.#session)
    const error = result > 0 ? 0 : openssl.error(this.#session, result)
    if (this.#state === 'handshaking') {
      if (openssl.isFinished(this.#session) === 1) this.#state = 'open'
      else if (error !== SSL_ERROR_WANT_READ && error !== SSL_ERROR_WANT_WRITE) this.#state = 'failed'
    }
    return this.#flight()
  }

  #flight(): readonly Uint8Array[] {
    openssl.clearErrors()
    const length = openssl.bioRead(this.#outgoing, scratch, scratch.length)
    return length <= 0 ? [] : datagramsOf(scratch.slice(0, length), dtlsLimits.datagramOctetsMax)
  }
}
