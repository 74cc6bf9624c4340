import type { DtlsAssociation, DtlsRole } from './association.ts'
import type { DtlsIdentity } from './certificate.ts'

/** Begins an association of our certificate. */
export type Associate = (role: DtlsRole) => DtlsAssociation

/**
 * Loads OpenSSL, once in each thread that is to do handshakes, while addons may still be loaded.
 * @param identity its private key is wiped; undefined where no addon may be loaded
 * @returns undefined where there is no DTLS: offers of it are refused then
 */
export async function openDtls(identity: DtlsIdentity | undefined): Promise<Associate | undefined> {
  if (identity === undefined) return undefined
  try {
    const [{ openContext }, { DtlsAssociation: Association }] = await Promise.all([
      import('./context.ts'),
      import('./association.ts'),
    ])
    const context = openContext(identity)
    return context === undefined ? undefined : (role) => new Association(context, role)
  } catch {
    return undefined
  }
}
