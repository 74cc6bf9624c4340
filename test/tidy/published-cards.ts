/** Test numbers that payment gateways publish; no other card-like number may stand anywhere in the project. */
export const publishedTestCards: ReadonlySet<string> = new Set([
  '4242424242424242',
  '4111111111111111',
  '4012888888881881',
  '4000056655665556',
  '4000000000000002',
  '4000000000009995',
  '4000000000000069',
  '4000000000000127',
  '4000000000000119',
  '4000000000000101',
  '4000000000000341',
  '4000000000000259',
  '4000000000000077',
  '4000000000003220',
  '4000000000005126',
  '4000000000009987',
  '4000000000009979',
  '4000000000006975',
  '4100000000000019',
  '4007000000027',
  '4222222222222',
  '4444333322221111',
  '4462030000000000',
  '4917610000000000',
  '5555555555554444',
  '5105105105105100',
  '5200828282828210',
  '5424000000000015',
  '2223003122003222',
  '2222420000001113',
  '378282246310005',
  '371449635398431',
  '6011111111111117',
  '6011000990139424',
  '30569309025904',
  '38520000023237',
  '36227206271667',
  '3530111333300000',
  '3566002020360505',
  '6200000000000005',
  '6200000000000047',
  '6205500000000000004',
  '6759649826438453',
  '6304000000000000',
])

/** Every run of 13–19 digits that passes Luhn as a whole, spaces and hyphens between digits removed. */
export function findCardNumbers(text: string): string[] {
  const runs = [...text.matchAll(/(?<![\w.+-])\d(?:[ -]?\d){12,18}(?![\w-])/g)].map(([run]) =>
    run.replaceAll(/[ -]/g, ''),
  )
  return runs.filter((run) => run.length <= 19 && passesLuhn(run) && /^[2-6]/.test(run))
}

function passesLuhn(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 === 1 ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return sum % 10 === 0
}
