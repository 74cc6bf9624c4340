/**
 * OpenSSL's DTLS, as far as we need it, called through koffi. It is the library that Node itself runs on: in Node's own
 * executable, or the system's where a distribution builds Node so. The only file here that names koffi. Pointers are plain
 * numbers, as in `../relay/libc.ts`. Importing this file loads a native addon, and fails where that is not allowed or where
 * OpenSSL is not to be found.
 */
import koffi from 'koffi'
import { dtlsLimits } from '../../../lib/limits.ts'

type Argument = number | string | Uint8Array | null | object
type Call = (...args: readonly Argument[]) => number

const library = koffi.load(null)
const call = (definition: string): Call => library.func(definition)

koffi.proto('int TonewallDtlsVerify(int, int64)')
/**
 * Peers' certificates are self-signed: nobody's signature makes them good, the fingerprint in SDP does (RFC 5763 5), which
 * is compared when the handshake is over. Owned by the library for the life of the thread.
 */
const acceptForNow: unknown = koffi.register(() => 1, 'TonewallDtlsVerify *')

koffi.proto('uint TonewallDtlsTimer(int64, uint)')
/**
 * When a flight is sent again: RFC 6347 4.2.4.1 says after a second, then after twice as long, and that who wants speech soon
 * may ask sooner. Either side's first flight may come before the other has read the SDP that it goes with.
 */
const retransmitAfter: unknown = koffi.register(
  (_session: unknown, beforeUs: number) =>
    beforeUs === 0 ? dtlsLimits.retransmitUsMin : Math.min(2 * beforeUs, dtlsLimits.retransmitUsMax),
  'TonewallDtlsTimer *',
)

export const openssl = {
  acceptForNow: acceptForNow as object,
  retransmitAfter: retransmitAfter as object,
  /** What another caller in this thread left behind must not be taken for ours, nor ours for its own. */
  clearErrors: call('void ERR_clear_error()'),
  method: call('int64 DTLS_method()'),
  contextNew: call('int64 SSL_CTX_new(int64)'),
  contextControl: call('long SSL_CTX_ctrl(int64, int, long, int64)'),
  contextOptions: call('uint64 SSL_CTX_set_options(int64, uint64)'),
  contextCiphers: call('int SSL_CTX_set_cipher_list(int64, const char *)'),
  contextVerify: call('void SSL_CTX_set_verify(int64, int, TonewallDtlsVerify *)'),
  /** `SSL_CTX_use_certificate_ASN1(context, octets, der)` */
  contextCertificate: call('int SSL_CTX_use_certificate_ASN1(int64, int, const uint8_t *)'),
  /** `SSL_CTX_use_PrivateKey_ASN1(type, context, der, octets)` */
  contextKey: call('int SSL_CTX_use_PrivateKey_ASN1(int, int64, const uint8_t *, long)'),
  /** 0 is success. */
  contextSrtp: call('int SSL_CTX_set_tlsext_use_srtp(int64, const char *)'),
  sessionNew: call('int64 SSL_new(int64)'),
  /** Wipes the session's secrets, and frees its two BIOs with it. */
  sessionFree: call('void SSL_free(int64)'),
  sessionControl: call('long SSL_ctrl(int64, int, long, int64)'),
  setTimer: call('void DTLS_set_timer_cb(int64, TonewallDtlsTimer *)'),
  setBios: call('void SSL_set_bio(int64, int64, int64)'),
  beServer: call('void SSL_set_accept_state(int64)'),
  beClient: call('void SSL_set_connect_state(int64)'),
  handshake: call('int SSL_do_handshake(int64)'),
  isFinished: call('int SSL_is_init_finished(int64)'),
  error: call('int SSL_get_error(int64, int)'),
  read: call('int SSL_read(int64, uint8_t *, int)'),
  bioMemory: call('int64 BIO_s_mem()'),
  bioNew: call('int64 BIO_new(int64)'),
  bioControl: call('long BIO_ctrl(int64, int, long, int64)'),
  bioWrite: call('int BIO_write(int64, const uint8_t *, int)'),
  bioRead: call('int BIO_read(int64, uint8_t *, int)'),
  /** A new reference; 0 where the peer showed none. */
  peerCertificate: call('int64 SSL_get1_peer_certificate(int64)'),
  certificateFree: call('void X509_free(int64)'),
  digestNamed: call('int64 EVP_get_digestbyname(const char *)'),
  /** Of the whole certificate in DER. The buffer holds 64 octets or more. */
  certificateDigest: call('int X509_digest(int64, int64, uint8_t *, int64)'),
  /** A `SRTP_PROTECTION_PROFILE *`; 0 where none was agreed. */
  srtpProfile: call('int64 SSL_get_selected_srtp_profile(int64)'),
  exportKeys: call(
    'int SSL_export_keying_material(int64, uint8_t *, size_t, const char *, size_t, const uint8_t *, size_t, int)',
  ),
} as const

// A view of the structure's own octets would cost koffi memory that it does not give back.
const copyFrom = call('void memcpy(uint8_t *, int64, size_t)')
const profileOctets = new Uint8Array(16)

/** The `id` of `struct { const char *name; unsigned long id; }`: the number that RFC 5764 and 7714 give the profile. */
export function profileNumber(profile: number): number {
  copyFrom(profileOctets, profile, profileOctets.length)
  return Number(new BigUint64Array(profileOctets.buffer)[1] ?? 0n)
}
