import { test } from 'tap'
import type { StatementSnapshot } from '../../src/store/snapshot.js'
import { MEBIBYTE, retainedBytes } from '../heap.js'
import { seededRandom } from '../random.js'
import { call, select, sent, storeWith } from './support.js'

const issues = select('issues')

function sumOf(rows: readonly { readonly count: number }[]): number {
  return rows.reduce((sum, { count }) => sum + count, 0)
}

/** Every count, error, second and row of a statement is one of its callers'. */
function differences(statements: readonly StatementSnapshot[]): StatementSnapshot[] {
  return statements.filter(({ callers, count, errorCount, totalTime, rows }) => {
    const add = (value: (caller: StatementSnapshot['callers'][number]) => number): number =>
      callers.reduce((sum, caller) => sum + value(caller), 0)
    return (
      sumOf(callers) !== count ||
      add(caller => caller.errorCount) !== errorCount ||
      Math.abs(add(caller => caller.totalTime) - totalTime) > 1e-9 * totalTime ||
      add(caller => caller.rows ?? 0) !== (rows ?? 0)
    )
  })
}

test('a statement has a row of its own, with its rows and its callers, the one that takes most time first', t => {
  const { store, read } = storeWith()
  const other = select('issues', 'another fingerprint')
  store.recordQuery(issues, sent(0.1, { rows: 3, resolver: 'Query.issues', operation: 'IssueList' }))
  store.recordQuery(issues, sent(0.2, { rows: 4, resolver: 'Query.issues', operation: 'IssueList' }))
  store.recordQuery(issues, sent(0.5, { failed: true, resolver: 'Query.issues', operation: 'Search' }))
  store.recordQuery(issues, sent(0.01, { rows: 1, operation: 'IssueList' }))
  store.recordQuery(other, sent(0.1))
  const { statements, queries } = read()
  t.match(queries, [{ name: 'SELECT issues', count: 5 }])
  const common = { name: 'SELECT issues', queryType: 'SELECT', table: 'issues', text: 'SELECT * FROM issues' }
  t.match(statements, [
    { ...common, fingerprint: issues.fingerprint, count: 4, errorCount: 1, totalTime: 0.81, maxTime: 0.5, rows: 8 },
    { ...common, fingerprint: 'another fingerprint', count: 1, rows: null }
  ])
  t.strictSame(statements[0]?.callers, [
    { resolver: 'Query.issues', operation: 'Search', count: 1, errorCount: 1, totalTime: 0.5, rows: 0 },
    { resolver: 'Query.issues', operation: 'IssueList', count: 2, errorCount: 0, totalTime: 0.3, rows: 7 },
    { resolver: null, operation: 'IssueList', count: 1, errorCount: 0, totalTime: 0.01, rows: 1 }
  ])
  t.strictSame(
    statements[1]?.callers,
    [{ resolver: null, operation: null, count: 1, errorCount: 0, totalTime: 0.1, rows: null }],
    'rows that no span tells are not zero'
  )
  t.match(read({ fingerprint: 'another fingerprint' }).statements, [{ count: 1 }])
  t.strictSame(read({ name: 'SELECT users' }).statements, [])
  t.end()
})

test('rows: none is not unknown', t => {
  const { store, read } = storeWith()
  store.recordQuery(issues, sent(0.1, { rows: 0 }))
  t.equal(read().statements[0]?.rows, 0)
  t.equal(read().statements[0]?.callers[0]?.rows, 0)
  t.end()
})

test('the 33rd caller of a statement and all after it are one, and nothing is lost', t => {
  const { store, read } = storeWith()
  for (let index = 0; index < 1000; index += 1) {
    store.recordQuery(issues, sent(0.001, { rows: 1, resolver: 'Query.issues', operation: `Attack${index}` }))
  }
  store.recordQuery(issues, sent(0.001, { rows: 1, resolver: 'Query.issues', operation: 'Attack7' }))
  const { statements } = read()
  t.equal(statements[0]?.callers.length, 33)
  t.match(statements[0]?.callers[0], { resolver: '(other)', operation: '(other)', count: 1000 - 32, rows: 1000 - 32 })
  t.equal(statements[0]?.callers.find(({ operation }) => operation === 'Attack7')?.count, 2)
  t.strictSame(differences(statements), [])
  t.end()
})

test('callers are forgotten as everything is, and make room for others', t => {
  const { store, clock, read } = storeWith(60)
  const callers = (): unknown[] =>
    (read().statements[0]?.callers ?? []).map(({ operation, count }) => [operation, count])
  for (let index = 0; index < 40; index += 1) store.recordQuery(issues, sent(0.001, { operation: `Early${index}` }))
  clock.advance(30)
  store.recordQuery(issues, sent(0.001, { operation: 'Early0' }))
  store.recordQuery(issues, sent(0.001, { operation: 'Late' }))
  t.equal(sumOf(read().statements[0]?.callers ?? []), 42)
  t.match(callers(), [['(other)', 9]], 'there was no place for the late one')
  clock.advance(31)
  t.strictSame(callers().sort(), [
    ['(other)', 1],
    ['Early0', 1]
  ])
  store.recordQuery(issues, sent(0.001, { operation: 'Late' }))
  t.strictSame(callers().sort(), [
    ['(other)', 1],
    ['Early0', 1],
    ['Late', 1]
  ])
  clock.advance(120)
  store.sweep()
  t.strictSame(read().statements, [])
  t.end()
})

test('at any time every caller and every count of statements is that of a naive model', t => {
  const random = seededRandom(5)
  const pick = (count: number): number => Math.floor(random() * count)
  for (const retention of [0, 1, 100, 3600]) {
    const { store, clock, read } = storeWith(retention, 3)
    const calls: { at: number; key: string; statements: number }[] = []
    const wrong: string[] = []
    const slot = store.window.width / 1e9
    for (let step = 0; step < 3000; step += 1) {
      if (random() < 0.4) clock.advance(random() * 2 * slot)
      if (random() < 0.01) clock.advance(retention * random() * 1.5)
      if (random() < 0.3) store.sweep(1)
      const [fingerprint, resolver, operation, statements] = [`${pick(3)}`, `r${pick(3)}`, `o${pick(8)}`, pick(60)]
      store.recordQuery(select('t', fingerprint), sent(0.001, { resolver, operation, rows: 2 }))
      store.recordOperation('List', { type: 'query' }, call(0.001), statements)
      calls.push({ at: clock.monotonic(), key: `${fingerprint} ${resolver} ${operation}`, statements })
      if (random() > 0.1) continue
      const epoch = (at: number): number => Math.floor(at / store.window.width)
      const oldest = retention === 0 ? -Infinity : epoch(clock.monotonic()) - store.window.slots + 1
      const live = calls.filter(({ at }) => epoch(at) >= oldest)
      const snapshot = read()
      const found = snapshot.statements.flatMap(({ fingerprint: of, callers }) =>
        callers.map(caller => [`${of} ${caller.resolver} ${caller.operation}`, caller.count])
      )
      const expected = new Map<string, number>()
      for (const { key } of live) expected.set(key, (expected.get(key) ?? 0) + 1)
      if (JSON.stringify(found.sort()) !== JSON.stringify([...expected].sort())) wrong.push(`callers, step ${step}`)
      if (differences(snapshot.statements).length > 0) wrong.push(`sums, step ${step}`)
      const counts = live.map(call => call.statements).sort((one, next) => one - next)
      const { min, max, avg, median } = snapshot.operations[0]?.sqlPerRequest ?? {}
      const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
      const middle = ((counts[(counts.length - 1) >> 1] ?? NaN) + (counts[counts.length >> 1] ?? NaN)) / 2
      if (min !== counts[0] || max !== counts.at(-1)) wrong.push(`extremes, step ${step}`)
      if (!(Math.abs((avg ?? NaN) - mean) < 1e-9)) wrong.push(`average, step ${step}`)
      if (!(Math.abs((median ?? NaN) - middle) <= 0.5)) wrong.push(`median, step ${step}: ${median}, not ${middle}`)
    }
    t.strictSame(wrong, [], `retention ${retention}`)
  }
  t.end()
})

test('changing the retention keeps the callers that are inside the new one', t => {
  const { store, clock, read } = storeWith(3600)
  for (let minute = 0; minute < 50; minute += 1) {
    store.recordQuery(issues, sent(0.001, { operation: minute < 25 ? 'Early' : 'Late', rows: 1 }))
    clock.advance(60)
  }
  store.setRetention(7200)
  const kept = read().statements[0]?.callers.map(({ operation, count }) => [operation, count])
  t.strictSame(kept?.sort(), [
    ['Early', 25],
    ['Late', 25]
  ])
  store.setRetention(600)
  const [row] = read().statements
  t.match(row?.callers, [{ operation: 'Late' }])
  t.equal(row?.callers.length, 1)
  t.ok((row?.count ?? 0) >= 9 && (row?.count ?? 99) <= 12, String(row?.count))
  t.strictSame(differences(read().statements), [])
  t.end()
})

test('neither another retention nor another fingerprint keeps a caller alive', t => {
  const { store, clock, read } = storeWith(60)
  for (let index = 0; index < 32; index += 1) store.recordQuery(issues, sent(0.001, { operation: `Early${index}` }))
  store.setRetention(120)
  store.setRetention(60)
  for (let index = 0; index < 10_000; index += 1) {
    const formerly = `provisional ${index}`
    store.recordQuery(select('users', formerly), sent(0.001, { operation: `Early${index}` }))
    store.recordQuery({ ...select('users'), formerly }, sent(0.001))
  }
  for (let second = 0; second < 150; second += 1) {
    clock.advance(1)
    store.recordQuery(issues, sent(0.001, { operation: 'New0' }))
    store.recordQuery(select('users'), sent(0.001, { operation: 'New0' }))
    store.sweep()
  }
  for (const statement of [issues, select('users'), select('labels')]) {
    for (let index = 0; index < 32; index += 1) store.recordQuery(statement, sent(0.001, { operation: `New${index}` }))
  }
  for (const { callers } of read().statements) {
    t.equal(callers.length, 32)
    t.notOk(callers.some(({ operation }) => !operation?.startsWith('New')))
  }
  t.end()
})

test('a fingerprint that the parser replaces takes its measurements along', t => {
  const { store, clock, read } = storeWith(3600, 2)
  const settled = { ...select('issues', 'settled'), formerly: 'provisional' }
  store.recordQuery(select('users'), sent(0.001))
  store.recordQuery(select('issues', 'provisional'), sent(0.1, { rows: 3, resolver: 'A.a', operation: 'List' }))
  clock.advance(100)
  store.recordQuery(select('issues', 'provisional'), sent(0.2, { rows: 3, resolver: 'A.a', operation: 'Page' }))
  store.recordQuery(settled, sent(0.4, { rows: 3, resolver: 'A.a', operation: 'List' }))
  const { statements } = read({ recent: 5 })
  t.match(statements, [
    { name: 'SELECT users' },
    { fingerprint: 'settled', count: 3, rows: 9, minTime: 0.1, maxTime: 0.4, callers: [{ count: 2 }, { count: 1 }] }
  ])
  t.strictSame(statements[1]?.recent.map(({ executionTime }) => executionTime), [0.4, 0.2, 0.1]) // prettier-ignore
  t.equal(statements.length, 2, 'and its place, so that it never falls into the overflow')

  store.recordQuery(select('users', 'too late'), sent(0.001))
  store.recordQuery({ ...select('users'), formerly: 'too late' }, sent(0.001))
  t.match(read().statements, [{ name: 'SELECT users', count: 2 }, { count: 3 }, { name: '(other)', count: 1 }])

  t.end()
})

test('the recent calls of two that become one are each listed once', t => {
  const { store, clock, read } = storeWith()
  for (const [fingerprint, seconds] of [
    ['settled', 1],
    ['provisional', 2],
    ['settled', 3]
  ] as const) {
    clock.advance(1)
    store.recordQuery(select('issues', fingerprint), sent(seconds))
  }
  clock.advance(1)
  store.recordQuery({ ...select('issues', 'settled'), formerly: 'provisional' }, sent(4))
  t.strictSame(
    read({ recent: 32 }).statements[0]?.recent.map(({ executionTime }) => executionTime),
    [4, 3, 2, 1]
  )
  t.end()
})

test('texts that turn out to be one statement become one row, each of its callers one', t => {
  const { store, clock, read } = storeWith()
  const texts = ['one', 'two', 'three']
  const from = { resolver: 'A.a', operation: 'List', rows: 1 }
  for (const text of texts) {
    for (let index = 0; index < 20; index += 1) {
      clock.advance(40)
      store.recordQuery(select('issues', text), sent(index / 100, from))
      store.recordQuery(select('issues', text), sent(index / 100, { operation: `${text}${index}`, rows: 1 }))
    }
  }
  for (const formerly of texts) store.recordQuery({ ...select('issues', 'settled'), formerly }, sent(1, from))
  const { statements } = read({ recent: 32 })
  t.match(statements, [{ fingerprint: 'settled', count: 123, rows: 123, maxTime: 1 }])
  t.equal(statements.length, 1)
  t.equal(statements[0]?.callers.find(({ resolver }) => resolver === 'A.a')?.count, 63)
  t.equal(statements[0]?.callers.length, 33)
  t.strictSame(differences(statements), [])
  const times = (statements[0]?.recent ?? []).map(({ timestamp }) => timestamp)
  t.equal(times.length, 32)
  t.strictSame(times, [...times].sort().reverse())
  clock.advance(7200)
  store.sweep()
  for (let index = 0; index < 32; index += 1) store.recordQuery(select('issues'), sent(1, { operation: `New${index}` }))
  t.equal(read().statements[0]?.callers.length, 32)
  t.end()
})

test('memory of callers: clients choose the names of operations, and gain nothing by it', t => {
  const { store, clock, read } = storeWith(60)
  const statements = Array.from({ length: 500 }, (_, index) => select(`table${index}`))
  for (const statement of statements) store.recordQuery(statement, sent(0.001, { resolver: 'A.a', operation: 'Known' }))
  const bytes = retainedBytes()
  let sentSoFar = statements.length
  const attack = (): void => {
    for (let index = 0; index < 200_000; index += 1) {
      const operation = `Attack${index}`.padEnd(128, 'x')
      store.recordQuery(statements[index % 500] ?? issues, sent(0.001, { resolver: 'A.a', operation }))
    }
    sentSoFar += 200_000
  }
  attack()
  const grown = retainedBytes() - bytes
  t.comment(`${(grown / MEBIBYTE).toFixed(1)} MiB more`)
  t.ok(grown < 6 * MEBIBYTE, `grew by ${(grown / MEBIBYTE).toFixed(1)} MiB`)
  const rows = read().statements
  t.equal(sumOf(rows), sentSoFar)
  t.strictSame(differences(rows), [])
  const named = rows.flatMap(({ callers }) => callers).filter(({ operation }) => operation !== '(other)')
  t.equal(named.length, 8192)
  t.ok(rows.every(({ callers }) => callers.some(({ operation }) => operation === 'Known')))

  clock.advance(200)
  store.sweep()
  t.strictSame(read().statements, [])
  for (let index = 0; index < 32; index += 1) store.recordQuery(issues, sent(0.001, { operation: `New${index}` }))
  t.equal(read().statements[0]?.callers.length, 32, 'what they took is given back')
  t.end()
})
