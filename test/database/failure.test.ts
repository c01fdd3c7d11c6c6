import pg from 'pg'
import { test } from 'tap'
import { connectFailure, isRefusal, knownCodeOf, statementFailure, type Failure } from '../../dist/database/failure.js'
import { PerformanceError } from '../../dist/errors.js'

function withCode(code: string): Error {
  return Object.assign(/^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? new pg.DatabaseError('x', 1, 'error') : new Error('x'), {
    code
  })
}

const byCode: [code: string, connecting: Failure, running: Failure][] = [
  ['ECONNREFUSED', 'unconnected', 'lost'],
  ['EAI_AGAIN', 'unconnected', 'lost'],
  ['ECONNRESET', 'unconnected', 'lost'],
  ['ETIMEDOUT', 'unconnected', 'lost'],
  ['EPIPE', 'unconnected', 'lost'],
  ['57P03', 'unconnected', 'lost'],
  ['53300', 'unconnected', 'lost'],
  ['57P01', 'unconnected', 'lost'],
  ['57P02', 'unconnected', 'lost'],
  ['57P05', 'final', 'lost'],
  ['25P03', 'final', 'lost'],
  ['08006', 'unconnected', 'lost'],
  ['08001', 'unconnected', 'lost'],
  ['08P01', 'final', 'lost'],
  ['40001', 'final', 'rolled back'],
  ['40P01', 'final', 'rolled back'],
  ['40002', 'final', 'final'],
  ['22012', 'final', 'final'],
  ['23505', 'final', 'final'],
  ['42P01', 'final', 'final'],
  ['28P01', 'final', 'final'],
  ['3D000', 'final', 'final'],
  ['57014', 'final', 'final'],
  ['ENOTFOUND', 'final', 'final'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'final', 'final']
]

const byMessage: [message: string, connecting: Failure, running: Failure][] = [
  ['Connection terminated unexpectedly', 'unconnected', 'lost'],
  ['Connection terminated', 'unconnected', 'lost'],
  ['Connection terminated due to connection timeout', 'unconnected', 'lost'],
  ['timeout expired', 'unconnected', 'lost'],
  ['Query read timeout', 'unconnected', 'lost'],
  ['Client has encountered a connection error and is not queryable', 'unconnected', 'unconnected'],
  ['Client was closed and is not queryable', 'unconnected', 'unconnected'],
  ['timeout exceeded when trying to connect', 'final', 'final'],
  ['Cannot use a pool after calling end on the pool', 'final', 'final'],
  ['something else', 'final', 'final']
]

test('what an error of the driver says about what happened', async t => {
  for (const [code, connecting, running] of byCode) {
    t.equal(connectFailure(withCode(code)), connecting, `${code} while connecting`)
    t.equal(statementFailure(withCode(code)), running, `${code} for a statement`)
  }
  for (const [message, connecting, running] of byMessage) {
    t.equal(connectFailure(new Error(message)), connecting, `${message} while connecting`)
    t.equal(statementFailure(new Error(message)), running, `${message} for a statement`)
  }
  for (const thrown of [undefined, null, 'ECONNREFUSED', {}]) t.equal(statementFailure(thrown), 'final')
})

test('a host of several addresses has refused when all have', async t => {
  const refused = withCode('ECONNREFUSED')
  t.equal(connectFailure(new AggregateError([refused, withCode('ETIMEDOUT')])), 'unconnected')
  t.equal(connectFailure(new AggregateError([refused, withCode('EACCES')])), 'final')
  t.equal(connectFailure(new AggregateError([])), 'final')
})

test('an error of Postgres itself leaves the connection alive, unless it says otherwise', async t => {
  t.ok(['40001', '23505', '57014'].every(code => isRefusal(withCode(code))))
  t.notOk(['57P01', '08006', '25P03', 'EPIPE', 'ECONNRESET'].some(code => isRefusal(withCode(code))))
})

test('an error that ends the connection is none that leaves it alive, in the languages of Postgres', async t => {
  const severities = ['FATAL', 'PANIC', 'FATALE', 'FATALT', 'PANIK', 'ВАЖНО', 'ПАНИКА', 'ФАТАЛЬНО', 'ПАНІКА']
  for (const severity of [
    ...severities,
    '치명적오류',
    '손상',
    'ფატალური',
    'პანიკა',
    '致命错误',
    '比致命错误还过分的错误',
    'ÖLÜMCÜL',
    'KRİTİK'
  ]) {
    for (const code of ['XX000', '58030', '53100', '23505', '40001']) {
      const error = Object.assign(withCode(code), { severity })
      t.notOk(isRefusal(error), `${severity} ${code}`)
      t.equal(statementFailure(error), 'lost', `${severity} ${code}`)
    }
  }
  for (const severity of ['ERROR', 'FEHLER', 'ERREUR', 'ОШИБКА', '오류', '错误', undefined]) {
    const error = Object.assign(withCode('XX000'), { severity })
    t.ok(isRefusal(error), String(severity))
    t.equal(statementFailure(error), 'final', String(severity))
  }
  t.equal(connectFailure(Object.assign(withCode('28P01'), { severity: 'FATAL' })), 'final', 'of no connection yet')
})

test('an error of class 08 that Postgres has for a statement, and not for its connection, is final', async t => {
  const said = (code: string, severity: string) =>
    Object.assign(withCode(code), { severity, routine: 'exec_bind_message' })
  for (const code of ['08P01', '08006', '08001']) {
    t.equal(statementFailure(said(code, 'ERROR')), 'final')
    t.equal(statementFailure(said(code, 'FEHLER')), 'final', 'in the language of the server')
    t.ok(isRefusal(said(code, 'ERROR')))
    t.equal(statementFailure(said(code, 'FATAL')), 'lost')
    t.equal(statementFailure(withCode(code)), 'lost', 'of a pooler')
  }
})

test('a Unix socket that is not there is a restart', async t => {
  const missing = (syscall: string) => Object.assign(withCode('ENOENT'), { syscall })
  t.equal(connectFailure(missing('connect')), 'unconnected')
  t.equal(connectFailure(missing('open')), 'final')
})

test('an error without a SQLSTATE on a broken connection is a lost one, whatever it is called', async t => {
  const errors = [
    ...['ENETDOWN', 'ECONNABORTED', 'EPROTO', 'EPERM', 'ERR_SSL_WRONG_VERSION_NUMBER'].map(withCode),
    new Error('Received unexpected commandComplete message from backend.')
  ]
  for (const error of errors) {
    t.notOk(isRefusal(error), `${error.message} is none of Postgres`)
    t.equal(statementFailure(error, { _queryable: false, _ending: false }), 'lost')
    t.equal(statementFailure(error, { _queryable: true, _ending: true }), 'lost')
    t.equal(statementFailure(error, { _queryable: true, _ending: false }), 'final')
  }
  t.equal(statementFailure(withCode('23505'), { _queryable: false }), 'final')
})

test('only codes that hold no values are shown', async t => {
  const shown = (code: unknown): unknown => knownCodeOf(Object.assign(new Error('x'), { code }))
  for (const code of ['40001', '57P01', 'ECONNRESET', 'EPERM', 'EAI_AGAIN']) t.equal(shown(code), code)
  for (const code of ['jane@example.com', 'HELLO', 'E_USER_7', 7, '']) t.equal(shown(code), undefined)
  t.equal(knownCodeOf(new PerformanceError('MPERF_TRANSACTION_OVER')), 'MPERF_TRANSACTION_OVER')
})
