import { test, type Test } from 'tap'
import { createSqlAnalyzer } from '../../src/spans/sql/analyzer.js'

const { analyze } = createSqlAnalyzer({ parsesPerSecond: 0 })
const redact = (sql: string) => analyze(sql).text

function check(t: Test, cases: [sql: string, expected: string][]) {
  for (const [sql, expected] of cases) t.equal(redact(sql), expected, sql)
}

test('every form of string is hidden', async t => {
  check(t, [
    ["SELECT 'a'", 'SELECT ?'],
    ["SELECT ''", 'SELECT ?'],
    ["SELECT 'it''s', ''''", 'SELECT ?, ?'],
    ["SELECT 'back\\', b", 'SELECT ?, b'],
    ["SELECT E'it\\'s', b", 'SELECT ?, b'],
    ["SELECT e'a''b\\\\', b", 'SELECT ?, b'],
    ["SELECT U&'d\\0061t' UESCAPE '!'", 'SELECT ? UESCAPE ?'],
    ["SELECT u&'a''b'", 'SELECT ?'],
    ["SELECT B'101', x'1F', N'a', n'b'", 'SELECT ?, ?, ?, ?'],
    ["SELECT date'2020-01-01', nameE'a'", 'SELECT date?, nameE?'],
    ["SELECT 'a'\n  'b' , c", 'SELECT ? , c'],
    ["SELECT 'a' -- why\n 'b', c", 'SELECT ?, c'],
    ["SELECT E'a'\n'b\\'c', d", 'SELECT ?, d'],
    ["SELECT 'a' 'b'", 'SELECT ? ?'],
    ["SELECT 'a''b'AS c, 'x'::text", 'SELECT ?AS c, ?::text']
  ])
})

test('dollar quotes are hidden', async t => {
  check(t, [
    ['SELECT $$a$$, b', 'SELECT ?, b'],
    ["SELECT $tag$it's $$ $other$ $tag$, b", 'SELECT ?, b'],
    ['SELECT $été_1$a$été_1$', 'SELECT ?'],
    ['SELECT $$$$', 'SELECT ?'],
    ['DO $do$ BEGIN END $do$ LANGUAGE plpgsql', 'DO ? LANGUAGE plpgsql'],
    ['SELECT a$b$c, d$$e', 'SELECT a$b$c, d$$e'],
    ['SELECT $1$$a$$', 'SELECT $1?'],
    ["SELECT $1E'\\' secret'", 'SELECT $1?'],
    ['SELECT $a b', 'SELECT $a b']
  ])
})

test('every form of number is hidden, its sign stays', async t => {
  for (const number of [
    '1',
    '1.5',
    '.5',
    '1.',
    '1e10',
    '1.5E-3',
    '.5e+3',
    '0x1F',
    '0o17',
    '0b01',
    '1_000',
    '1_0.0_1e1_0'
  ]) {
    t.equal(redact(`SELECT ${number}, b`), 'SELECT ?, b', number)
    t.equal(redact(`SELECT -${number}+ +${number} FROM a`), 'SELECT -?+ +? FROM a', `signed ${number}`)
  }
  check(t, [
    ['SELECT a1, _2, b.c3, é4', 'SELECT a1, _2, b.c3, é4'],
    ['SELECT 1abc, 0xZZ, 12$', 'SELECT ?, ?, ?$'],
    ['FOR i IN 1..10 LOOP', 'FOR i IN ?.? LOOP'],
    ['SELECT 10.0.0.1', 'SELECT ???'],
    ['SELECT a[1:2]', 'SELECT a[?:?]'],
    ['SELECT 0x1e-3', 'SELECT ?-?']
  ])
})

test('bind parameters, names, constants and operators stay', async t => {
  check(t, [
    ['SELECT $1, $23::int', 'SELECT $1, $23::int'],
    ['SELECT $65535, $4111111111111111', 'SELECT $65535, ?'],
    ['SELECT "a""b", "It\'s", "1", U&"d\\0061"', 'SELECT "a""b", "It\'s", "1", U&"d\\0061"'],
    ['SELECT "--", "/*" , "two  spaces"', 'SELECT "--", "/*" , "two  spaces"'],
    ['SELECT données, 表, 𝒳', 'SELECT données, 表, 𝒳'],
    ['SELECT true, FALSE, Null', 'SELECT true, FALSE, Null'],
    ["SELECT a->>'k', b #> '{}', c ? 'd', e ?| f, g::text[]", 'SELECT a->>?, b #> ?, c ? ?, e ?| f, g::text[]'],
    ['SELECT a<=b, a!=-1, @ -5, a%2, ~1', 'SELECT a<=b, a!=-?, @ -?, a%?, ~?']
  ])
})

test('comments go, white space is folded', async t => {
  check(t, [
    ['  SELECT\n\t a ,\r\n b  ', 'SELECT a , b'],
    ['SELECT a -- to the end\n, b --', 'SELECT a , b'],
    ['SELECT a--b\r, c', 'SELECT a , c'],
    ['SELECT/* one */a/* two /* nested */ still */, b', 'SELECT a , b'],
    ['SELECT a /* -- */ , b -- /*\n, c', 'SELECT a , b , c'],
    ['/* lead */ SELECT 1 /* trail */', 'SELECT ?'],
    ['SELECT a-/**/-b', 'SELECT a- -b'],
    ['SELECT a/b, a*/**/b', 'SELECT a/b, a* b'],
    ['SELECT\u0000a\u0007b', 'SELECT a b'],
    ['-- only', ''],
    ['', '']
  ])
})

test('what never ends hides the rest', async t => {
  for (const open of ["'", "E'a\\'", "U&'", "X'", '$$', '$t$ $$ ', '/*', '/* /* */', '"', 'U&"', '"a""', "'a'\n'"]) {
    t.equal(redact(`SELECT a, ${open} secret, 1 -- b`), 'SELECT a, ?', open)
  }
  t.equal(redact("SELECT E'a\\"), 'SELECT ?')
  t.equal(redact("SELECT 'O'Brien secret'"), 'SELECT ?', 'a word that touches a string is a quote gone wrong')
  t.equal(redact("SELECT 0x1.E'\\' secret'"), 'SELECT ?', 'so is a quote that touches a number')
  t.equal(redact("WHERE a = 'b AND c = 'secret'"), 'WHERE a = ?')
  t.equal(
    redact("WHERE a = 1 AND b = 'the dogs' secret bowl'"),
    'WHERE a = ?',
    'nor may be told apart what comes before'
  )
  t.equal(
    redact(`INSERT INTO t VALUES ('it's secret ${'in prose '.repeat(8_000)}')`),
    'INSERT INTO t VALUES (?',
    'in a long text'
  )
  t.equal(redact("WHERE a = 'the dogs\\' secret bowl'"), 'WHERE a = ?', 'a backslash that does not escape')
})

test('lists fold to one element', async t => {
  check(t, [
    ['a IN (1, 2, 3)', 'a IN (?)'],
    ["a in ('b','c')", 'a in (?)'],
    ['a NOT IN ($1, $2, $3)', 'a NOT IN ($1)'],
    ['a IN (-1, 2, +3, null)', 'a IN (?)'],
    ['a IN ($1::uuid, $2::uuid)', 'a IN ($1::uuid)'],
    ['a IN (lower($1), lower($2))', 'a IN (lower($1))'],
    ['(a, b) IN (($1, $2), ($3, $4))', '(a, b) IN (($1, $2))'],
    ['a IN (b, c, 1, 2)', 'a IN (b, c, ?)'],
    ['a IN (f(1), f(1) + b)', 'a IN (f(?), f(?) + b)'],
    ['a IN (SELECT 1, 1, 1)', 'a IN (SELECT ?, ?, ?)'],
    ['a = ANY(ARRAY[1, 2, 3]::int[])', 'a = ANY(ARRAY[?]::int[])'],
    ['ARRAY[ARRAY[1, 2], ARRAY[3]]', 'ARRAY[ARRAY[?]]'],
    ['f(1, 2, 3)', 'f(?, ?, ?)'],
    ['VALUES (1, 2), (3, 4), (5, 6) RETURNING a', 'VALUES (?, ?) RETURNING a'],
    ["VALUES (1, now(), NULL), (-2, now(), 'x')", 'VALUES (?, now(), NULL)'],
    ['VALUES ($1, ARRAY[$2, $3]), ($4, ARRAY[$5])', 'VALUES ($1, ARRAY[$2])'],
    ['VALUES (1), (a), (2), (3)', 'VALUES (?), (a), (?)'],
    ['VALUES (1), (2)) v (a), (b), (c)', 'VALUES (?)) v (a), (b), (c)'],
    ['DEFAULT VALUES RETURNING (a), (a)', 'DEFAULT VALUES RETURNING (a), (a)'],
    ['a IN (\n  1,\n  2\n)', 'a IN ( ? )'],
    ['a IN ( -1, 2)', 'a IN ( ?)'],
    ['a IN (- 1, f(-2))', 'a IN (?, f(?))'],
    ['a IN ()', 'a IN ()'],
    ['a IN (1, 2', 'a IN (?, ?']
  ])
})

test('parameters after a folded list are numbered as after a list of one', async t => {
  check(t, [
    ['a IN ($1, $2, $3) AND b = $4', 'a IN ($1) AND b = $2'],
    ['c = $1 AND a IN ($2, $3) AND b = $4 AND d = $1', 'c = $1 AND a IN ($2) AND b = $3 AND d = $1'],
    [
      'a IN ($1, $2) AND b = $3 AND c IN ($4, $5, $6) AND d = $3 AND e = $7',
      'a IN ($1) AND b = $2 AND c IN ($3) AND d = $2 AND e = $4'
    ],
    ['VALUES ($1, $2), ($3, $4) ON CONFLICT DO UPDATE SET a = $5', 'VALUES ($1, $2) ON CONFLICT DO UPDATE SET a = $3'],
    ['VALUES ($1, $2), ($1, $3), ($1, $4) RETURNING $5', 'VALUES ($1, $2) RETURNING $3']
  ])
})

test('a text is cut at 1,024 units, never inside a pair or a quoted name', async t => {
  t.equal(redact(`SELECT ${'a'.repeat(2000)}`).length, 1024)
  const pairs = redact(`SELECT ${'𝒳'.repeat(1000)}`)
  t.equal(pairs.length, 1023)
  t.notMatch(pairs, /\p{Surrogate}/u)
  t.equal(redact(`SELECT ${'a'.repeat(1010)}, "${'b'.repeat(60)}"`), `SELECT ${'a'.repeat(1010)},`)
  t.equal(redact(`SELECT a${' , b'.repeat(1000)}`).length, 1024)
})

test('of a huge text only the beginning is read', async t => {
  const rows = Array.from({ length: 20_000 }, (_, i) => `(${i}, 'secret${i}')`).join(', ')
  t.equal(redact(`INSERT INTO a (b, c) VALUES ${rows} RETURNING d`), 'INSERT INTO a (b, c) VALUES (?, ?)')
  for (let i = 0; i < 12; i++) {
    const text = `SELECT '${'x'.repeat(65_520 + i)}''secret' , b`
    t.equal(redact(text), 'SELECT ?', 'a cut next to a doubled quote')
  }
})
