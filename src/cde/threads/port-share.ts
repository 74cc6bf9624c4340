/** The part of a range of ports that is one thread's: whole pairs of an even port and the odd one above it, none in two parts. */
export function portShare(
  { portMin, portMax }: { readonly portMin: number; readonly portMax: number },
  index: number,
  threads: number,
): { readonly portMin: number; readonly portMax: number } {
  const first = portMin + (portMin % 2)
  const pairs = Math.floor((portMax - first + 1) / 2)
  const pairAt = (share: number): number => first + 2 * Math.floor((pairs * share) / threads)
  return { portMin: pairAt(index), portMax: pairAt(index + 1) - 1 }
}
