import { test } from 'tap'
import { retainedBytes } from '../heap.js'
import { createReady, isParsed } from './ready-analyzer.js'

/** Milliseconds that only work takes which grows faster than the text. */
const EXPONENTIAL = 10_000

test('the caches are bounded', async t => {
  const { analyze } = await createReady({ cacheSize: 10, parsesPerSecond: 0 })
  const first = analyze('SELECT a FROM b')
  for (let i = 0; i < 9; i++) analyze(`SELECT a${i} FROM b`)
  t.equal(analyze('SELECT a FROM b'), first, 'among the last ten')
  for (let i = 0; i < 10; i++) analyze(`SELECT c${i} FROM b`)
  const again = analyze('SELECT a FROM b')
  t.not(again, first, 'eleven later it was forgotten')
  t.strictSame(again, first)
})

test('memory does not grow with the number or the size of distinct texts', async t => {
  const { analyze } = await createReady({ parsesPerSecond: 0 })
  const flood = (from: number, to: number) => {
    for (let i = from; i < to; i++) analyze(`SELECT a${i} FROM b WHERE c = '${'x'.repeat(15_000)}' /*${i}*/`)
  }
  flood(0, 3000)
  const before = retainedBytes()
  flood(3000, 30_000)
  const grown = retainedBytes() - before
  // So that it could not be collected before.
  analyze('SELECT 1')
  t.ok(grown < 1024 * 1024, `${Math.round(grown / 1024)} KiB for 400 MB of text`)
})

test('what is kept of a long text is no longer than what is shown', async t => {
  const { analyze } = await createReady({ parsesPerSecond: 0 })
  const flood = (from: number, to: number) => {
    for (let i = from; i < to; i++) analyze(`SELECT a${i}, ${'b , '.repeat(15_000)} c FROM ${'d'.repeat(20)}${i}`)
  }
  flood(0, 20)
  const before = retainedBytes()
  flood(20, 320)
  const grown = retainedBytes() - before
  // So that it could not be collected before.
  analyze('SELECT 1')
  t.ok(grown < 4 * 1024 * 1024, `${Math.round(grown / 1024)} KiB for 300 statements of 60 KiB`)
})

test('a broken text does not speak for a whole one that reads the same', async t => {
  const { analyze } = await createReady()
  for (const broken of ["SELECT 'a", 'SELECT $$a', 'SELECT /* a', 'SELECT "a']) analyze(broken)
  t.equal(analyze("SELECT 'a").text, analyze('SELECT 1').text)
  t.ok(isParsed('SELECT 1', analyze('SELECT 1').fingerprint))
})

test('at most so many texts a second reach the parser', async t => {
  let time = 0
  const { analyze } = await createReady({ parsesPerSecond: 20, now: () => time })
  const count = (column: string) => {
    const texts = Array.from({ length: 50 }, (_, i) => `SELECT ${column}${i} FROM issues`)
    return texts.filter(sql => isParsed(sql, analyze(sql).fingerprint)).length
  }
  t.equal(count('a'), 20)
  time = 999
  t.equal(count('b'), 0)
  time = 1000
  t.equal(count('c'), 20)
  t.equal(analyze('SELECT z FROM issues').name, 'SELECT issues', 'the others are described all the same')
})

test('a parse that takes long is paid for as several', async t => {
  let time = 0
  const { analyze } = await createReady({ parsesPerSecond: 100, now: () => (time += 5) })
  const texts = Array.from({ length: 10 }, (_, i) => `SELECT a${i} FROM issues`)
  t.equal(texts.filter(sql => isParsed(sql, analyze(sql).fingerprint)).length, 2)
})

test('what went without the parser is asked again once there is budget', async t => {
  let time = 0
  const { analyze } = await createReady({ parsesPerSecond: 1, now: () => time })
  analyze('SELECT a FROM issues')
  const sql = 'SELECT b FROM issues WHERE c = 1'
  t.notOk(isParsed(sql, analyze(sql).fingerprint))
  t.notOk(isParsed(sql, analyze(sql).fingerprint))
  time = 1000
  t.ok(isParsed(sql, analyze(sql).fingerprint), 'the same text')
  t.ok(isParsed(sql, analyze('SELECT b FROM issues WHERE c = 2').fingerprint), 'and those that share its statement')
})

test('words that lead nowhere cost no more than their text', async t => {
  const { analyze } = await createReady({ parsesPerSecond: 0 })
  const start = performance.now()
  for (const [begin, piece] of [
    ['', 'WITH '],
    ['', 'WITH a AS (b) '],
    ['SELECT FROM ', 'ONLY '],
    ['SELECT * FROM a, ', 'LATERAL ']
  ] as const) {
    analyze(begin + piece.repeat(Math.floor(60_000 / piece.length)))
  }
  t.ok(performance.now() - start < EXPONENTIAL)
})

test('common table expressions that refer to each other cost no more than their text', async t => {
  const { analyze } = await createReady({ parsesPerSecond: 0 })
  const chain = Array.from({ length: 300 }, (_, i) => `x${i + 1} AS (SELECT * FROM x${i}, x${i})`)
  const start = performance.now()
  t.equal(analyze(`WITH x0 AS (SELECT 1), ${chain.join()} SELECT * FROM x300`).name, 'SELECT')
  t.ok(performance.now() - start < EXPONENTIAL)
})
