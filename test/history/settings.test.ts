import { hostname } from 'node:os'
import { test } from 'tap'
import { historySettings } from '../../src/history/settings.js'

const url = 'postgres://app:hunter2@db/app'

test('history is off until it is asked for', t => {
  t.equal(historySettings({}, undefined), undefined)
  t.equal(historySettings({ PERFORMANCE_HISTORY: 'off', DATABASE_URL: url }, undefined), undefined)
  t.equal(historySettings({ PERFORMANCE_HISTORY: 'on', DATABASE_URL: url }, false), undefined)
  t.equal(historySettings({ PERFORMANCE_HISTORY_URL: url }, undefined), undefined)
  t.end()
})

test('it is kept in the application’s database unless another one is named', t => {
  const on = { PERFORMANCE_HISTORY: 'on', DATABASE_URL: url }
  t.strictSame(historySettings(on, undefined), {
    url,
    urlSetting: 'DATABASE_URL',
    instance: hostname(),
    service: 'unknown_service',
    version: null,
    retention: { minutes: 86_400, hours: 30 * 86_400, days: 400 * 86_400 }
  })
  t.match(historySettings({ PERFORMANCE_HISTORY: 'on' }, undefined, 'postgres://embedded'), {
    url: 'postgres://embedded',
    urlSetting: 'databaseUrl'
  })
  t.match(historySettings({ ...on, PERFORMANCE_HISTORY_URL: 'postgres://other/db' }, undefined), {
    url: 'postgres://other/db',
    urlSetting: 'PERFORMANCE_HISTORY_URL'
  })
  t.match(historySettings({ DATABASE_URL: url }, { url: 'postgres://given/db', instance: 'i' }), {
    url: 'postgres://given/db',
    urlSetting: 'history.url',
    instance: 'i'
  })
  t.end()
})

test('a bad URL is told by the name of the setting that it stands in', t => {
  const on = { PERFORMANCE_HISTORY: 'on' }
  const expected = (name: string): { message: RegExp } => ({
    message: new RegExp(`^${name} is one of mysql://: expected postgres`)
  })
  t.throws(() => historySettings(on, { url: 'mysql://db' }), expected('history.url'))
  t.throws(() => historySettings(on, undefined, 'mysql://db'), expected('databaseUrl'))
  t.throws(() => historySettings({ ...on, DATABASE_URL: 'mysql://db' }, undefined), expected('DATABASE_URL'))
  t.end()
})

test('who an instance is comes from where OpenTelemetry has it', t => {
  const environment = {
    PERFORMANCE_HISTORY: '1',
    DATABASE_URL: url,
    OTEL_SERVICE_NAME: 'tracker',
    OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=pod%2D7,service.version=2.1.0,service.name=ignored',
    PERFORMANCE_HISTORY_RETENTION: '2h, 2d, 30d'
  }
  t.match(historySettings(environment, undefined), {
    instance: 'pod-7',
    service: 'tracker',
    version: '2.1.0',
    retention: { minutes: 7200, hours: 172_800, days: 30 * 86_400 }
  })
  t.match(historySettings({ ...environment, PERFORMANCE_INSTANCE: 'named' }, undefined), { instance: 'pod-7' })
  const named = { ...environment, PERFORMANCE_INSTANCE: 'named', OTEL_RESOURCE_ATTRIBUTES: '' }
  t.match(historySettings(named, undefined), { instance: 'named' })
  t.end()
})

const bad: readonly (readonly [environment: Record<string, string>, message: RegExp])[] = [
  [{ PERFORMANCE_HISTORY: 'maybe' }, /^PERFORMANCE_HISTORY is "maybe": expected on or off$/],
  [
    { PERFORMANCE_HISTORY: 'postgres://app:hunter2@db:5432/app' },
    /^PERFORMANCE_HISTORY is a URL: expected on or off; the URL belongs in PERFORMANCE_HISTORY_URL$/
  ],
  [
    { PERFORMANCE_HISTORY: 'on', DATABASE_URL: 'postgres://app:hunter2#/@db:5432/app' },
    /^DATABASE_URL is no valid URL: expected .*, with special characters in the password percent-encoded$/
  ],
  [
    { PERFORMANCE_HISTORY: 'on' },
    /^PERFORMANCE_HISTORY_URL is not set, and neither is DATABASE_URL: expected postgres:/
  ],
  [
    { PERFORMANCE_HISTORY: 'on', PERFORMANCE_HISTORY_URL: 'mysql://u:hunter2@db' },
    /^PERFORMANCE_HISTORY_URL is one of mysql:/
  ],
  [
    { PERFORMANCE_HISTORY: 'on', PERFORMANCE_HISTORY_URL: 'hunter2' },
    /^PERFORMANCE_HISTORY_URL is no URL: expected postgres:/
  ],
  [
    { PERFORMANCE_HISTORY: 'on', PERFORMANCE_HISTORY_URL: 'prometheus+http://p:9090' },
    /^OTEL_SERVICE_NAME is not set: expected the name that the service exports its metrics under$/
  ],
  ...['30m,30d,400d', '24h', '24h,12h,400d', '24h,30d,400d,9d', 'a,b,c', '24h,30d,9999d'].map(
    text =>
      [
        { PERFORMANCE_HISTORY: 'on', DATABASE_URL: url, PERFORMANCE_HISTORY_RETENTION: text },
        /^PERFORMANCE_HISTORY_RETENTION is ".*": expected how long minutes \(1h to 7d\), hours \(1d to 400d\) and days/
      ] as const
  )
]

test('a bad value stops the start with one line that shows no password', t => {
  for (const [environment, message] of bad) {
    t.throws(() => historySettings(environment, undefined), { code: 'MPERF_CONFIG_INVALID', message })
    try {
      historySettings(environment, undefined)
    } catch (error) {
      t.notMatch(String(error), /hunter2|\n/)
    }
  }
  t.end()
})

test('what JavaScript gives in place of the options is named, and null is nothing given', t => {
  const environment = { DATABASE_URL: url }
  const wrong: readonly (readonly [given: unknown, databaseUrl: unknown, message: RegExp])[] = [
    ['off', undefined, /^history is a string: expected true, false or an object such as \{ url, instance \}$/],
    [{ url: 7 }, undefined, /^history\.url is a number: expected a string$/],
    [{ instance: 7 }, undefined, /^history\.instance is a number: expected a string$/],
    [true, 7, /^databaseUrl is a number: expected a string$/]
  ]
  for (const [given, databaseUrl, message] of wrong) {
    t.throws(() => historySettings(environment, given as never, databaseUrl as never), {
      code: 'MPERF_CONFIG_INVALID',
      message
    })
  }
  t.equal(historySettings(environment, null), undefined)
  t.match(historySettings({ ...environment, PERFORMANCE_HISTORY: 'on' }, null, null), {
    url,
    urlSetting: 'DATABASE_URL'
  })
  t.match(historySettings(environment, { url: null, instance: null } as never), { url })
  t.throws(() => historySettings({ DATABASE_URL: 'postgres://u:hunter2%9fQ@h/db' }, true), {
    message: /^DATABASE_URL is no valid URL/
  })
  for (const socket of [
    'postgres:///tracker?host=/var/run/postgresql',
    'postgres://user:pw@/tracker?host=/var/run/postgresql'
  ]) {
    t.match(historySettings({ DATABASE_URL: socket }, true), { url: socket }, 'a socket has no host')
  }
  t.end()
})
