import { TonewallError } from '../../lib/errors.ts'
import { gatewayLimits } from '../../lib/limits.ts'

/**
 * The address of a gateway from the configuration. Card data leaves this machine by TLS only; plain HTTP is for a
 * gateway on the loopback interface, as the simulated one is.
 * @throws TonewallError CONFIG_INVALID; start-up code calls this, not a payment
 */
export function gatewayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const allowed = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  if (!url || !allowed || url.username || url.password || url.search || url.hash) {
    throw new TonewallError('CONFIG_INVALID', {
      path: 'gateways.url',
      problem: 'must be an https address, or http on this machine, without user, password, query and fragment',
      example: 'https://gateway.example/',
    })
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/**
 * A secret as it stands in its file, as the value of a header: printable ASCII, blanks and line ends at the edges cut off.
 * @throws TonewallError CONFIG_INVALID; the message does not repeat the secret
 */
export function headerSecret(credential: Uint8Array): string {
  const secret = Buffer.from(credential.buffer, credential.byteOffset, credential.byteLength).toString('latin1').trim()
  if (!/^[\x21-\x7e]+$/.test(secret) || credential.length > gatewayLimits.credentialOctetsMax) {
    throw new TonewallError('CONFIG_INVALID', {
      path: 'gateways.credentialFile',
      problem: 'the file must hold one line of printable ASCII without blanks',
      example: 'sk_sandbox_example',
    })
  }
  return secret
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
