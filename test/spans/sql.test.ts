import { fingerprintSync } from 'libpg-query'
import { test } from 'tap'
import { createSqlAnalyzer } from '../../src/spans/sql/analyzer.js'
import { createParser, type Library } from '../../src/spans/sql/parser.js'
import { createReady, isParsed } from './ready-analyzer.js'

test('a statement has an operation, a table, a name, a fingerprint and a redacted text', async t => {
  const sql = "SELECT * FROM issues WHERE title = 'secret' AND id IN ($1, $2)"
  const { analyze } = await createReady()
  t.strictSame(analyze(sql), {
    operation: 'SELECT',
    table: 'issues',
    name: 'SELECT issues',
    fingerprint: fingerprintSync(sql),
    text: 'SELECT * FROM issues WHERE title = ? AND id IN ($1)'
  })
})

test('the parameters of a text are counted, and not what looks like one in a literal or a comment', async t => {
  const { read } = await createReady()
  const row = (n: number) => `($${2 * n + 1}, $${2 * n + 2})`
  const cases: [string, number][] = [
    ['SELECT 1', 0],
    ['SELECT $1, $12 FROM t WHERE a = $2 AND b = $', 12],
    ["SELECT * FROM t WHERE price = '$500' AND a = $1 -- $7", 1],
    [`SELECT $q$ $9 $q$, "$8", $1::int`, 1],
    // Lists of any length are one statement, of which each text has its own number.
    ['SELECT * FROM t WHERE a IN ($1, $2, $3)', 3],
    ['SELECT * FROM t WHERE a IN ($1, $2, $3, $4)', 4],
    [`INSERT INTO t VALUES ${Array.from({ length: 20_000 }, (_, n) => row(n)).join()}`, 40_000]
  ]
  for (const [text, parameters] of cases) {
    t.equal(read(text).parameters, parameters, text.slice(0, 80))
    t.equal(read(text).parameters, parameters, 'when it is known, too')
  }
  const [three, four] = cases.slice(4, 6).map(([text]) => read(text).statement.fingerprint)
  t.equal(three, four)
})

test('lists of different length are one statement, with and without the parser', async t => {
  const shapes = [
    (n: number) => `SELECT * FROM a WHERE b IN (${Array.from({ length: n }, (_, i) => `'${i}'`).join(', ')}) AND c = 1`,
    (n: number) =>
      `SELECT * FROM a WHERE b IN (${Array.from({ length: n }, (_, i) => `$${i + 1}`).join()}) AND c = $${n + 1}`,
    (n: number) =>
      `INSERT INTO a (b, c) VALUES ${Array.from({ length: n }, (_, i) => `($${2 * i + 1}, $${2 * i + 2})`).join()}`
  ]
  for (const parsesPerSecond of [Infinity, 0]) {
    const { analyze } = await createReady({ parsesPerSecond })
    for (const shape of shapes) {
      const [first, ...others] = [1, 2, 7, 300, 5000].map(length => analyze(shape(length)))
      for (const other of others) t.strictSame(other, first)
    }
  }
})

test('a text seen before answers the same object', async t => {
  const { analyze } = await createReady()
  t.equal(analyze('SELECT 1 FROM a'), analyze('SELECT 1 FROM a'))
  t.equal(analyze('SELECT 1 FROM a'), analyze('SELECT 2 FROM a'))
})

test('a statement that the parser knows only later says by which fingerprint it went before', async t => {
  let now = 0
  const { analyze } = await createReady({ parsesPerSecond: 1, now: () => now })
  const atOnce = analyze('SELECT a FROM b')
  t.notOk('formerly' in atOnce, 'nobody has seen it under another')
  const provisional = analyze('SELECT c FROM d WHERE e = 1')
  t.strictSame(analyze('SELECT c FROM d WHERE e = 2'), provisional, 'no budget yet')
  now += 1000
  const settled = analyze('SELECT c FROM d WHERE e = 3')
  t.not(settled.fingerprint, provisional.fingerprint)
  t.equal(settled.formerly, provisional.fingerprint)
  t.equal(analyze('SELECT c FROM d WHERE e = 1'), settled)
})

test('before the parser has loaded the tokens answer', async t => {
  const analyzer = createSqlAnalyzer()
  const sql = 'SELECT a FROM issues'
  t.equal(analyzer.parserLoaded, false)
  t.equal(analyzer.analyze(sql).name, 'SELECT issues')
  await analyzer.ready
  t.equal(analyzer.parserLoaded, true)
  t.ok(isParsed(sql, analyzer.analyze(sql).fingerprint))
})

test('the parser never sees what it could choke on', async t => {
  const analyzer = await createReady({ parsesPerSecond: Infinity })
  const { analyze } = analyzer
  const long = `SELECT * FROM issues WHERE a = '${'x'.repeat(20_000)}'`
  t.notOk(isParsed(long, analyze(long).fingerprint), 'too long')
  for (let i = 0; i < 10; i++) {
    const chain = `SELECT a ${'IS NULL '.repeat(2000)} FROM issues${'x'.repeat(i)}`
    t.equal(analyzer.analyze(chain).operation, 'SELECT', 'its recursion would outgrow the stack')
  }
  t.ok(analyzer.parserLoaded)
  t.equal(analyze('SELECT 1 \0 FROM issues').name, 'SELECT issues', 'a text that ends in the middle for C')
})

test('a parser that fails is put aside, one that cannot be loaded is not missed', async t => {
  const create = async (load: () => Promise<Library>) => {
    const parser = createParser({ parsesPerSecond: Infinity, now: () => 0, load })
    await parser.ready
    return parser
  }
  const answering = (parseSync: () => never) => () =>
    Promise.resolve({ parseSync, fingerprintSync: () => 'near "secret"' })

  const absent = await create(() => Promise.reject(new Error('no WASM')))
  t.equal(absent.loaded, false)
  t.equal(absent.parse('SELECT 1', 'SELECT'), 'later')

  const rejecting = await create(
    answering(() => {
      throw new Error('syntax error at or near "secret"')
    })
  )
  for (let i = 0; i < 10; i++) t.equal(rejecting.parse('SELECT 1', 'SELECT'), 'never')
  t.equal(rejecting.loaded, true, 'a text that it does not understand is no fault')

  const failing = await create(
    answering(() => {
      throw new RangeError('Maximum call stack size exceeded')
    })
  )
  for (let i = 0; i < 3; i++) t.equal(failing.parse('SELECT 1', 'SELECT'), 'never')
  t.equal(failing.loaded, false)
  t.equal(failing.parse('SELECT 1', 'SELECT'), 'later')

  const quoting = await create(answering(() => ({}) as never))
  t.equal(quoting.parse('SELECT 1', 'SELECT'), 'never', 'a message is not a fingerprint')
})

test('garbage never throws', async t => {
  for (const parsesPerSecond of [Infinity, 0]) {
    const { analyze } = await createReady({ parsesPerSecond })
    const bytes = Buffer.alloc(4096)
    let seed = 1
    for (let i = 0; i < 300; i++) {
      for (let j = 0; j < bytes.length; j++) bytes[j] = (seed = (seed * 48_271) % 2_147_483_647) & 0xff
      const length = seed % bytes.length
      for (const encoding of ['latin1', 'utf8', 'utf16le'] as const) analyze(bytes.toString(encoding, 0, length & ~1))
    }
    for (const piece of [
      '(',
      'WITH ',
      'WITH a AS (b) ',
      'WITH a AS (b) (',
      'ONLY ',
      '((SELECT ',
      'WITH a AS (',
      '\ud800',
      'IN (',
      'VALUES (',
      '[',
      'SELECT (',
      "'",
      '"',
      '$$',
      '/*',
      '-',
      '.',
      'x,'
    ]) {
      for (const count of [1, 500, 20_000]) analyze(piece.repeat(count))
      analyze(`SELECT * FROM ${piece.repeat(3000)}`)
    }
    const { name, text } = analyze(`SELECT * FROM issues WHERE a = '${'x'.repeat(1024 * 1024)}'`)
    t.strictSame([name, text], ['SELECT issues', 'SELECT * FROM issues WHERE a = ?'])
    t.strictSame(
      { ...analyze(''), fingerprint: '' },
      { operation: 'UNKNOWN', table: null, name: 'UNKNOWN', fingerprint: '', text: '' }
    )
    t.equal(analyze('SELECT * FROM "\ud800"').operation, 'SELECT')
  }
})
