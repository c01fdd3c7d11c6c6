import { test } from 'tap'
import { createSqlAnalyzer } from '../../src/spans/sql/analyzer.js'
import type { Statement } from '../../src/spans/sql/statement.js'

const SECRETS = 10_000
// No template and no name below holds these, so even a fragment of a secret shows.
const MARKS = /zqj|jqz|[0-9]/

/** Mulberry32: small, seeded, good enough to choose among shapes. */
function createRandom(seed: number) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return { below, pick: <T>(values: readonly T[]): T => values[below(values.length)] as T }
}

function createGenerator(seed: number) {
  const random = createRandom(seed)
  const planted: string[] = []
  const word = () => {
    const secret = `zqj${(planted.length + 1_000_000).toString(36)}jqz`
    planted.push(secret)
    return secret
  }
  const digits = () => {
    const secret = `${9_000_000_000 + planted.length * 7}`
    planted.push(secret)
    return secret
  }
  const noise = () =>
    random.pick(['', ' ', '--', '/*', '*/', '"', '$$ ', ';', ', ', '(', '\n', '?', 'é', '\u{1d4b3}', ' FROM '])
  const body = () => `${noise()}${word()}${noise()}`
  const literals: (() => string)[] = [
    () => `'${body()}'`,
    () => `'${body()}''${body()}'`,
    () => `'${body()}\\'`,
    () => `E'${body()}\\'${body()}'`,
    () => `e'\\\\${body()}''\\n${body()}\\\\'`,
    () => `U&'${body()}''\\0061'`,
    () => `N'${body()}'`,
    () => `B'${digits()}'`,
    () => `x'${digits()}'`,
    () => `'${body()}'\n  '${body()}'`,
    () => `E'${body()}' -- ${word()}\n '${word()}\\'${word()}'`,
    () => `$$${word()} ' " ${word()}$$`,
    () => `$tag$${word()}$$'${word()}$tag $tag$`,
    digits,
    () => `-${digits()}`,
    () => `${digits()}.${digits()}`,
    () => `.${digits()}`,
    () => `${digits()}e-${digits()}`,
    () => `0x${digits()}`,
    () => `${digits()}_${digits()}`,
    () => `/* ${word()} /* ${word()} */ ${word()} */ NULL`,
    () => `true -- ${word()}\n`
  ]
  const literal = () => random.pick(literals)()
  const list = () => Array.from({ length: 1 + random.below(5) }, literal).join(random.pick([',', ', ', ' ,\n']))
  const expression = (): string =>
    random.pick([
      literal,
      literal,
      () => `lower(${literal()})`,
      () => `(${literal()} || ${literal()}::text)`,
      () => `CASE WHEN a = ${literal()} THEN ${literal()} ELSE "b" END`,
      () => `ARRAY[${list()}]`
    ])()
  const condition = (): string =>
    random.pick([
      () => `a = ${expression()}`,
      () => `a IN (${list()})`,
      () => `b BETWEEN ${literal()} AND ${literal()}`,
      () => `"c d" LIKE ${literal()} AND a=${literal()}`,
      () => `EXISTS (SELECT ${literal()} FROM labels WHERE ${condition()})`
    ])()
  const statement = (): string =>
    random.pick([
      () => `SELECT ${expression()}, a FROM issues WHERE ${condition()} LIMIT ${digits()}`,
      () => `INSERT INTO issues (a, b) VALUES (${literal()}, ${literal()}), (${literal()}, ${literal()})`,
      () => `UPDATE audit.events SET a = ${expression()} WHERE ${condition()}`,
      () => `DELETE FROM issues WHERE ${condition()} OR ${condition()}`,
      () => `WITH x AS (SELECT ${literal()} FROM users WHERE ${condition()}) SELECT * FROM x`,
      () => `ALTER ROLE admin PASSWORD '${body()}'`,
      () => `SET application_name = '${body()}'`,
      () => `DO $do$ BEGIN PERFORM '${word()}'; END $do$`
    ])()
  // Each of these is what a text goes through on its way here, or a mistake in it.
  const broken = (sql: string): string =>
    random.pick([
      () => sql,
      () => sql.slice(0, random.below(sql.length)),
      () => `${sql} '${word()}`,
      () => `${sql} E'\\'${word()}`,
      () => `${sql} "${word()}`,
      () => `${sql} $x$ ${word()} $$`,
      () => `${sql} /* /* */ ${word()}`,
      () => `${sql} WHERE name = 'O'${word()} AND b = '${word()}'`,
      () => `${sql} WHERE name = 'the dogs' ${word()} AND b = '${word()}''`,
      () => `${sql} ((( FROM ${literal()} )`,
      () => `;; ${literal()} ${sql} ${literal()};`,
      () => ' '.repeat(70_000 - random.below(sql.length) - sql.length) + sql
    ])()
  return { planted, random, statement, next: () => broken(statement()) }
}

function visible({ text, name, table }: Statement) {
  return `${text}\n${name}\n${table ?? ''}`
}

test(`${SECRETS} secrets in literals of every form stay hidden`, async t => {
  const { next, planted } = createGenerator(20_240_229)
  const analyzers = [createSqlAnalyzer({ parsesPerSecond: Infinity }), createSqlAnalyzer({ parsesPerSecond: 0 })]
  await Promise.all(analyzers.map(({ ready }) => ready))
  const leaks: string[] = []
  const seen = new Set<string>()
  let statements = 0
  while (planted.length < SECRETS) {
    const sql = next()
    statements++
    for (const { analyze } of analyzers) {
      const statement = analyze(sql)
      if (MARKS.test(visible(statement))) leaks.push(`${sql}\n=> ${JSON.stringify(statement)}`)
      if (!/^[0-9a-f]{16}$/.test(statement.fingerprint)) leaks.push(statement.fingerprint)
      seen.add(visible(statement)).add(statement.fingerprint)
    }
  }
  t.strictSame(leaks.slice(0, 3), [])
  const everything = [...seen].join('\n')
  t.strictSame(
    planted.filter(secret => everything.includes(secret)),
    []
  )
  t.ok(statements > 1000 && seen.size > 700, `${statements} statements, ${seen.size} texts and fingerprints`)
})

test('redacting a redacted text changes nothing', async t => {
  const { next, random } = createGenerator(7)
  const { analyze } = createSqlAnalyzer({ parsesPerSecond: 0 })
  const pieces =
    "' '' \" \"\" $ $$ $a$ $1 $2 ? ( ) [ ] , ; . - -- / /* */ * + :: | 1 .5 1e 0x a E' U&' U&\" N IN( IN VALUES( VALUES ARRAY[ ),( NULL SELECT FROM \\ \u{1d4b3} \ud83d é \n".split(
      ' '
    )
  const garbage = () =>
    Array.from({ length: random.below(60) }, () => random.pick(pieces) + random.pick(['', '', ' '])).join('')
  const changed: string[] = []
  for (let i = 0; i < 30_000; i++) {
    let sql = i % 3 === 0 ? next() : garbage()
    if (i % 50 === 0) sql = garbage().repeat(100)
    const { text } = analyze(sql)
    if (analyze(text).text !== text) changed.push(`${JSON.stringify(sql)}\n=> ${text}\n=> ${analyze(text).text}`)
    if (text.length > 1024) changed.push(sql)
  }
  t.strictSame(changed.slice(0, 5), [])
})
