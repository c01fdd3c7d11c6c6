import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { test } from 'tap'
import { alone, inTurn } from '../../src/history/postgres/alone.js'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { isOfConnection, problemOf } from '../../src/history/problems.js'
import { prometheusProblemOf } from '../../src/history/prometheus/problems.js'
import { decodeRollup, encodeRollup, pack, unpack } from '../../src/history/rollups/pack.js'
import { HistoryStatus } from '../../src/history/status.js'
import { createPool } from '../../src/database/pool.js'
import { PerformanceError } from '../../src/errors.js'
import { manualClock } from '../clock.js'
import { usePostgres } from '../postgres.js'
import { entryOf, resolverNamed } from './simulated.js'

const failureOf = (work: () => unknown): Promise<unknown> =>
  Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (error: unknown) => error
    )

function statusWithLog() {
  const lines: string[] = []
  const status = new HistoryStatus(manualClock(), (_level, _fields, message) => lines.push(message))
  return { status, lines }
}

test('rows that cannot be read are called so, whatever is wrong with them', async t => {
  const entry = entryOf(resolverNamed('Query.issues'), [1, 2, 3])
  const packed = await pack([entry])
  const later = inflateRawSync(packed)
  later[0] = 2
  const unreadable = {
    'no bytes at all': () => unpack(Buffer.alloc(0)),
    'other bytes': () => unpack(Buffer.from('spoilt')),
    'bytes that end too soon': () => unpack(packed.subarray(0, packed.length / 2)),
    'a minute that ends in an id': () => unpack(deflateRawSync(inflateRawSync(packed).subarray(0, 4))),
    'a rollup that ends too soon': () => decodeRollup(encodeRollup(entry).subarray(0, 4), 'resolvers'),
    'a later format': () => unpack(deflateRawSync(later))
  }
  for (const [name, work] of Object.entries(unreadable)) {
    const { status, lines } = statusWithLog()
    const error = await failureOf(work)
    t.match(problemOf(error), /^stored rows cannot be read/, name)
    for (let round = 0; round < 3; round += 1) status.merging.failed(error)
    t.equal(lines.length, 1, 'it is logged once')
  }
})

test('merging that takes longer than it may is said, though writing goes well', async t => {
  const { url } = await usePostgres(t)
  const pool = createPool({ connectionString: url, max: 1, deadline: 0.3 })
  t.teardown(() => pool.end())
  const error = await failureOf(() => pool.transaction(client => client.query('SELECT pg_sleep(5)')))
  t.match(error, { code: 'MPERF_DATABASE_DEADLINE' })
  const { status, lines } = statusWithLog()
  status.written()
  status.merging.failed(error)
  t.equal(status.problem, null, 'once may be chance')
  status.merging.failed(error)
  t.match(status.problem, /^what is written is not merged: .*nothing answered in time/)
  status.merging.failed(error)
  t.match(lines, [/^PERFORMANCE: history: what is written is not merged/])
  t.equal(lines.length, 1)
  t.equal(status.state, 'WRITING')
  status.merging.done()
  t.equal(status.problem, null)
})

test('that there is no connection is said by what is to be written, and not by what is done beside it', async t => {
  const postgres = await usePostgres(t)
  const database = new HistoryDatabase(postgres.url)
  t.teardown(() => database.close())
  const killed = await failureOf(() => database.query('SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(1)'))
  await postgres.stop('immediate')
  const refused = await failureOf(() => database.query('SELECT'))
  for (const error of [killed, refused]) {
    const { status, lines } = statusWithLog()
    for (let round = 0; round < 3; round += 1) status.merging.failed(error)
    t.strictSame([status.problem, lines], [null, []], problemOf(error))
  }
})

test('what is neither of the connection nor of the database is called by its name, and said by what it keeps from being done', async t => {
  const slip = await failureOf(() => (undefined as unknown as { length: number }).length)
  const rolledBack = new PerformanceError('MPERF_TRANSACTION_ROLLED_BACK')
  for (const [error, problem] of [
    [slip, /^it failed inside of this process with TypeError$/],
    [rolledBack, /^it failed inside of this process with MPERF_TRANSACTION_ROLLED_BACK$/]
  ] as const) {
    t.match(problemOf(error), problem)
    const { status, lines } = statusWithLog()
    for (let round = 0; round < 3; round += 1) status.merging.failed(error)
    t.equal(lines.length, 1)
  }
})

test('other instances that change the tables all the time are told', { timeout: 30_000 }, async t => {
  const { url } = await usePostgres(t)
  const [one, other] = [new HistoryDatabase(url), new HistoryDatabase(url)]
  t.teardown(() => Promise.all([one.close(), other.close()]))
  let error: unknown
  await alone(one, async () => {
    error = await failureOf(() => inTurn(other, () => Promise.resolve()))
  })
  t.match(problemOf(error), /^other instances have been changing its tables for ten seconds: .*TABLES_BUSY/)
  t.equal(isOfConnection(error), false)
})

test('a lost connection is one whatever the driver and its pool call it', async t => {
  const texts = [
    'Connection terminated unexpectedly',
    'Client has encountered a connection error and is not queryable',
    'timeout exceeded when trying to connect',
    'Cannot use a pool after calling end on the pool'
  ]
  const coded = ['ECONNRESET', 'EAI_AGAIN', 'ENOTFOUND', '57P01', '53300', '08006'].map(code =>
    Object.assign(new Error('x'), { code })
  )
  for (const cause of [...texts.map(text => new Error(text)), ...coded]) {
    t.ok(isOfConnection(cause), cause.message)
    t.ok(isOfConnection(new PerformanceError('MPERF_OUTCOME_UNKNOWN', 'x', { cause })), 'as a cause too')
  }
  t.notOk(isOfConnection(new PerformanceError('MPERF_OUTCOME_UNKNOWN', 'x')), 'its time was over')
  t.match(problemOf(new Error(texts[2])), /^the connection was lost or nothing answered in time/)
})

test('the setting is named that the address came from', async t => {
  const missing = Object.assign(new Error('x'), { code: '3D000' })
  const status = new HistoryStatus(manualClock(), () => undefined, 'DATABASE_URL')
  status.failed(missing)
  t.match(status.problem, /^there is no such database: create it, or correct the name in DATABASE_URL \(3D000\)$/)
  status.written()
  for (let round = 0; round < 2; round += 1) status.merging.failed(Object.assign(new Error('x'), { code: '42501' }))
  t.match(status.problem, /the user of DATABASE_URL lacks a privilege/)
  const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
  t.match(prometheusProblemOf(refused, 'history.url'), /start Prometheus, or correct history\.url \(ECONNREFUSED\)$/)
})

test('what is wrong with an address is told from what answered there', t => {
  const coded = (code: string): Error => Object.assign(new Error('hunter2'), { code })
  const said: readonly (readonly [error: Error, problem: RegExp])[] = [
    [
      coded('SELF_SIGNED_CERT_IN_CHAIN'),
      /certificate .* sslrootcert=.* to DATABASE_URL, .* \(SELF_SIGNED_CERT_IN_CHAIN\)$/
    ],
    [coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), /certificate of the database is not trusted/],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), /for another host: correct that in DATABASE_URL/],
    [
      coded('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'),
      /^TLS failed with .*: check sslmode and the certificates in DATABASE_URL$/
    ],
    [
      coded('ECONNRESET'),
      /^the connection was cut: if it goes on, check that host and port in DATABASE_URL .* \(ECONNRESET\)$/
    ],
    [coded('EPROTO'), /^connecting failed with EPROTO: check DATABASE_URL$/],
    [coded('42883'), /15 or newer is needed \(42883\)$/],
    [coded('XX000'), /^the database answered XX000$/],
    [
      new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
      /asks for a password: add one to DATABASE_URL$/
    ],
    [new Error('The server does not support SSL connections'), /remove sslmode from DATABASE_URL/]
  ]
  for (const [error, problem] of said) {
    t.match(problemOf(error, 'DATABASE_URL'), problem)
    t.notMatch(problemOf(error, 'DATABASE_URL'), /hunter2|inside of this process/)
  }
  t.end()
})
