import { newId } from '../../../lib/ids.ts'
import type { RandomBytes } from '../../../lib/random.ts'
import type { CdeSettings } from '../../../wall/settings.ts'
import type { KernelForwarder } from './forwarder.ts'

/**
 * The kernel's forwarding for one thread, as `media.kernel` says.
 * @param host the media address
 * @returns undefined where it is not wanted, or wanted only if it can be and it cannot
 */
export async function openKernelForwarder(
  wanted: CdeSettings['media']['kernel'],
  host: string,
  random: RandomBytes,
): Promise<KernelForwarder | 'kernel-forwarding-unavailable' | undefined> {
  if (wanted === 'off' || wanted === 'engine') return undefined
  const unavailable = wanted === 'required' ? 'kernel-forwarding-unavailable' : undefined
  try {
    // Loads a native addon, which is not allowed everywhere.
    const forwarder = await import('./forwarder.ts')
    const opened = forwarder.KernelForwarder.open(host, `tonewall-${newId(random)}`)
    return 'problem' in opened ? unavailable : opened
  } catch {
    return unavailable
  }
}
