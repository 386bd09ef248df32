/** Regions that CLDR names although ISO 3166-1 does not list them as countries. */
const NOT_COUNTRIES = new Set(['AC', 'CP', 'CQ', 'DG', 'EA', 'EU', 'EZ', 'IC', 'QO', 'TA', 'UN', 'XA', 'XB', 'ZZ'])

/**
 * Names in use beside CLDR's English ones. Without a code: what is no country, or two of them, such as the Channel
 * Islands (Guernsey and Jersey).
 */
const ALIASES: Record<string, string> = {
  bolivarianrepublicofvenezuela: 'VE',
  bosniaandherzegovina: 'BA',
  britain: 'GB',
  brunei: 'BN',
  bruneidarussalam: 'BN',
  burma: 'MM',
  capeverde: 'CV',
  congo: 'CG',
  czechrepublic: 'CZ',
  democraticrepublicofthecongo: 'CD',
  eire: 'IE',
  england: 'GB',
  greatbritain: 'GB',
  holland: 'NL',
  hongkong: 'HK',
  irelandrepublicof: 'IE',
  iranislamicrepublicof: 'IR',
  islamicrepublicofiran: 'IR',
  ivorycoast: 'CI',
  korea: 'KR',
  koreademocraticpeoplesrepublicof: 'KP',
  korearepublicof: 'KR',
  laopeoplesdemocraticrepublic: 'LA',
  macao: 'MO',
  macau: 'MO',
  macedonia: 'MK',
  moldovarepublicof: 'MD',
  myanmar: 'MM',
  northernireland: 'GB',
  palestine: 'PS',
  peoplesrepublicofchina: 'CN',
  republicofireland: 'IE',
  republicofkorea: 'KR',
  rsa: 'ZA',
  russianfederation: 'RU',
  scotland: 'GB',
  swaziland: 'SZ',
  syrianarabrepublic: 'SY',
  taiwanprovinceofchina: 'TW',
  tanzaniaunitedrepublicof: 'TZ',
  thenetherlands: 'NL',
  turkey: 'TR',
  uae: 'AE',
  unitedrepublicoftanzania: 'TZ',
  unitedstatesofamerica: 'US',
  usa: 'US',
  vatican: 'VA',
  vaticancityholysee: 'VA',
  vietnam: 'VN',
  wales: 'GB',
}

let byName: Map<string, string> | undefined
const known = new Map<string, string | undefined>()

/**
 * The ISO 3166-1 alpha-2 code of a country, given its code or its English name. `EIRE` is IE, `UK` is GB.
 * @returns undefined for what is no country, such as `Unspecified` or `European Community`
 */
export function countryCode(text: string): string | undefined {
  if (known.has(text)) return known.get(text)
  byName ??= countryNames()
  const code = byName.get(normalized(text))
  if (known.size < 10_000) known.set(text, code)
  return code
}

/** Codes and names, normalized, to codes. Superseded codes and names lead to today's: UK to GB. */
function countryNames(): Map<string, string> {
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' })
  const codes = new Map<string, string>()
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  for (const code of letters.flatMap((first) => letters.map((second) => first + second))) {
    const current = new Intl.Locale(`und-${code}`).region
    const name = names.of(code)
    if (!name || !current || NOT_COUNTRIES.has(current)) continue
    codes.set(code.toLowerCase(), current)
    codes.set(normalized(name), current)
  }
  for (const [name, code] of Object.entries(ALIASES)) codes.set(name, code)
  return codes
}

function normalized(text: string): string {
  return text
    .normalize('NFD')
    .toLowerCase()
    .replaceAll('&', 'and')
    .replace(/\bst\.?\s/g, 'saint ')
    .replace(/[^a-z]/g, '')
}
