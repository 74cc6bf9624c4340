/**
 * Decimal places of the active currencies, ISO 4217 (list one). Our own table: `Intl` answers with CLDR's habits
 * (0 for IDR and HUF), which are not what gateways count in.
 */
const currenciesByPlaces: readonly (readonly [places: 0 | 2 | 3 | 4, codes: string])[] = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
  [
    2,
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY ' +
      'COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS ' +
      'INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR ' +
      'MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP ' +
      'STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG',
  ],
]

const places: ReadonlyMap<string, number> = new Map(
  currenciesByPlaces.flatMap(([count, codes]) => codes.split(' ').map((code) => [code, count] as const)),
)

/**
 * Decimal places of a currency's minor unit: 2 for EUR, so that 4250 minor units are 42.50.
 * @param currency ISO 4217 code in capitals
 * @returns undefined for a code that is not an active currency: refuse it, do not guess
 */
export function currencyPlaces(currency: string): number | undefined {
  return places.get(currency)
}
