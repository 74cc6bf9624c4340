/** What all handshakes of a thread share: our certificate, and what we are willing to agree on. */
import type { DtlsIdentity } from './certificate.ts'
import { openssl } from './openssl.ts'
import { profileList } from './profiles.ts'

// Of <openssl/ssl.h>, <openssl/evp.h>: numbers that have not changed since OpenSSL 1.1.1.
const SSL_CTRL_SET_SESSION_CACHE = 44
const SSL_CTRL_SET_READ_AHEAD = 41
const SSL_CTRL_SET_MIN_PROTO_VERSION = 123
const SSL_OP_NO_QUERY_MTU = 0x1000
const SSL_OP_NO_TICKET = 0x4000
const SSL_OP_NO_RENEGOTIATION = 0x4000_0000
const SSL_VERIFY_PEER_AND_FAIL_WITHOUT = 0x03
const EVP_PKEY_EC = 408
const DTLS_1_2 = 0xfefd

/** ECDHE and AEAD only: RFC 8827 6.5 wants the first of them from everybody. */
const CIPHERS = 'ECDHE+AESGCM:ECDHE+CHACHA20:!PSK:!aNULL'

/** @returns an `SSL_CTX *` for the life of the thread; undefined where OpenSSL refuses any of it. Wipes the private key. */
export function openContext({ certificate, privateKey }: DtlsIdentity): number | undefined {
  openssl.clearErrors()
  const context = openssl.contextNew(openssl.method())
  if (context === 0) return undefined
  openssl.contextOptions(context, SSL_OP_NO_QUERY_MTU + SSL_OP_NO_TICKET + SSL_OP_NO_RENEGOTIATION)
  openssl.contextControl(context, SSL_CTRL_SET_SESSION_CACHE, 0, 0)
  // DTLS reads a datagram at a time: what is read must be read whole.
  openssl.contextControl(context, SSL_CTRL_SET_READ_AHEAD, 1, 0)
  openssl.contextVerify(context, SSL_VERIFY_PEER_AND_FAIL_WITHOUT, openssl.acceptForNow)
  const isReady =
    openssl.contextControl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, DTLS_1_2, 0) === 1 &&
    openssl.contextCiphers(context, CIPHERS) === 1 &&
    openssl.contextSrtp(context, profileList) === 0 &&
    openssl.contextCertificate(context, certificate.length, certificate) === 1 &&
    openssl.contextKey(EVP_PKEY_EC, context, privateKey, privateKey.length) === 1
  privateKey.fill(0)
  openssl.clearErrors()
  return isReady ? context : undefined
}
