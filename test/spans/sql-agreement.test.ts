import { fingerprintSync, loadModule, parseSync } from 'libpg-query'
import { test } from 'tap'
import { createSqlAnalyzer } from '../../src/spans/sql/analyzer.js'
import { fingerprintOf } from '../../src/spans/sql/fingerprint.js'
import type { Statement } from '../../src/spans/sql/statement.js'

const statements: [sql: string, operation: string, table: string | null][] = [
  // SELECT and what it reads
  ['SELECT * FROM issues', 'SELECT', 'issues'],
  ['select id from public.issues where id = $1', 'SELECT', 'issues'],
  ['SELECT * FROM audit.events', 'SELECT', 'audit.events'],
  ['SELECT * FROM tracker.audit.events', 'SELECT', 'audit.events'],
  ['SELECT * FROM ONLY issues', 'SELECT', 'issues'],
  ['SELECT * FROM issues * WHERE true', 'SELECT', 'issues'],
  ['SELECT * FROM Issues AS i (a, b)', 'SELECT', 'issues'],
  ['SELECT * FROM "Issues"', 'SELECT', 'Issues'],
  ['SELECT * FROM "odd ""name"" here"', 'SELECT', 'odd "name" here'],
  ['SELECT * FROM "Odd Schema"."from"', 'SELECT', 'Odd Schema.from'],
  ['SELECT * FROM Überschriften', 'SELECT', 'Überschriften'],
  ['SELECT * FROM __proto__', 'SELECT', '__proto__'],
  ['SELECT * FROM constructor', 'SELECT', 'constructor'],
  ['SELECT * FROM hasOwnProperty.toString', 'SELECT', 'hasownproperty.tostring'],
  [`SELECT * FROM ${'a'.repeat(80)}`, 'SELECT', 'a'.repeat(63)],
  [`SELECT * FROM "${'a'.repeat(62)}𝒳𝒳"`, 'SELECT', 'a'.repeat(62)],
  ['SELECT i.*, u.name FROM issues i JOIN users u ON u.id = i.author_id', 'SELECT', 'issues'],
  ['SELECT * FROM issues i LEFT JOIN LATERAL (SELECT * FROM comments c) x ON true', 'SELECT', 'issues'],
  ['SELECT * FROM (issues JOIN users ON true) JOIN labels ON true', 'SELECT', 'issues'],
  ['SELECT * FROM ((issues JOIN users ON true))', 'SELECT', 'issues'],
  ['SELECT * FROM issues, users', 'SELECT', 'issues'],
  ['SELECT * FROM (SELECT * FROM comments) AS c JOIN issues ON true', 'SELECT', 'comments'],
  ['SELECT * FROM (SELECT 1) AS one, issues', 'SELECT', 'issues'],
  ['SELECT * FROM (SELECT * FROM (SELECT * FROM labels) a) b', 'SELECT', 'labels'],
  ['SELECT * FROM (VALUES (1, 2), (3, 4)) AS v (a, b) JOIN issues ON true', 'SELECT', 'issues'],
  ['SELECT * FROM generate_series(1, 10)', 'SELECT', null],
  ['SELECT * FROM generate_series(1, 10) AS n JOIN issues ON issues.id = n', 'SELECT', 'issues'],
  ['SELECT * FROM pg_catalog.unnest($1::int[]) WITH ORDINALITY, users', 'SELECT', 'users'],
  ['SELECT * FROM ROWS FROM (unnest($1), unnest($2)) AS r, LATERAL f(r), labels', 'SELECT', 'labels'],
  ['SELECT * FROM issues TABLESAMPLE SYSTEM (10)', 'SELECT', 'issues'],
  ['SELECT a IS DISTINCT FROM b AS differs FROM issues', 'SELECT', 'issues'],
  ['SELECT a IS NOT DISTINCT FROM b FROM issues', 'SELECT', 'issues'],
  ['SELECT DISTINCT ON (a) a FROM issues', 'SELECT', 'issues'],
  ["SELECT extract(epoch FROM created_at), trim(both 'x' FROM title) FROM issues", 'SELECT', 'issues'],
  ["SELECT substring(title FROM 2 FOR 3), 'FROM nowhere' FROM issues", 'SELECT', 'issues'],
  ['SELECT /* FROM nowhere */ 1 -- FROM nowhere\n FROM issues', 'SELECT', 'issues'],
  ['SELECT array_agg(x ORDER BY y), (ARRAY[1, 2])[1] FROM issues GROUP BY z HAVING true', 'SELECT', 'issues'],
  ['SELECT mode() WITHIN GROUP (ORDER BY state) FROM issues GROUP BY a', 'SELECT', 'issues'],
  ['SELECT i.from, i.union FROM issues i', 'SELECT', 'issues'],
  ['SELECT count(*) INTO kept FROM issues', 'SELECT', 'issues'],
  ['SELECT * FROM issues WHERE id IN (SELECT issue_id FROM labels) FOR UPDATE SKIP LOCKED', 'SELECT', 'issues'],
  ['SELECT 1', 'SELECT', null],
  ['SELECT', 'SELECT', null],
  ['SELECT now() WHERE true', 'SELECT', null],
  ['SELECT EXISTS (SELECT 1 FROM issues WHERE id = $1)', 'SELECT', 'issues'],
  ['SELECT (SELECT count(*) FROM issues) + (SELECT count(*) FROM users)', 'SELECT', 'issues'],
  ['SELECT coalesce((SELECT 1), (SELECT 2 FROM labels))', 'SELECT', 'labels'],
  ['TABLE issues', 'SELECT', 'issues'],
  ['VALUES (1), (2)', 'SELECT', null],
  // set operations
  ['SELECT 1 UNION ALL SELECT id FROM issues', 'SELECT', 'issues'],
  ['(SELECT id FROM users) UNION (SELECT id FROM issues) ORDER BY 1', 'SELECT', 'users'],
  ['(SELECT 1 EXCEPT SELECT 2) INTERSECT TABLE labels', 'SELECT', 'labels'],
  ['SELECT * FROM ((SELECT id FROM users) UNION SELECT 1) u', 'SELECT', 'users'],
  // common table expressions
  ['WITH x AS (SELECT * FROM issues) SELECT * FROM x', 'SELECT', 'issues'],
  ['WITH x AS (SELECT 1), y AS (SELECT * FROM x, users) SELECT * FROM y', 'SELECT', 'users'],
  ['WITH x (a, b) AS NOT MATERIALIZED (SELECT * FROM issues) SELECT * FROM users JOIN x ON true', 'SELECT', 'users'],
  ['WITH issues AS (SELECT * FROM issues) SELECT * FROM issues', 'SELECT', 'issues'],
  ['WITH x AS (SELECT * FROM users) SELECT * FROM audit.x', 'SELECT', 'audit.x'],
  ['WITH "X" AS (SELECT * FROM users) SELECT * FROM x', 'SELECT', 'x'],
  ['WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t) SELECT n FROM t', 'SELECT', null],
  ['WITH RECURSIVE t AS (SELECT * FROM issues UNION SELECT i.* FROM t, issues i) SELECT * FROM t', 'SELECT', 'issues'],
  ['WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM labels) SELECT * FROM a', 'SELECT', 'labels'],
  ['WITH a AS (SELECT * FROM b), b AS (SELECT * FROM labels) SELECT * FROM a', 'SELECT', 'b'],
  ['WITH x AS (INSERT INTO issues (a) VALUES (1) RETURNING *) SELECT * FROM x', 'SELECT', 'issues'],
  ['WITH x AS (DELETE FROM issues RETURNING *) INSERT INTO archive SELECT * FROM x', 'INSERT', 'archive'],
  ['WITH x AS (SELECT 1) UPDATE issues SET a = 1 FROM x', 'UPDATE', 'issues'],
  ['WITH x AS (SELECT 1) DELETE FROM issues USING x', 'DELETE', 'issues'],
  ['WITH x AS (SELECT 1) (SELECT * FROM issues) UNION SELECT * FROM x', 'SELECT', 'issues'],
  ['SELECT * FROM (WITH x AS (SELECT * FROM labels) SELECT * FROM x) y', 'SELECT', 'labels'],
  // writes
  ['INSERT INTO issues (title) VALUES ($1) RETURNING id', 'INSERT', 'issues'],
  ['INSERT INTO audit.events AS e SELECT * FROM issues', 'INSERT', 'audit.events'],
  ['INSERT INTO issues DEFAULT VALUES', 'INSERT', 'issues'],
  ['INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = EXCLUDED.a', 'INSERT', 't'],
  ['UPDATE issues SET state = $1 FROM users WHERE true', 'UPDATE', 'issues'],
  ['UPDATE ONLY audit.events AS e SET a = DEFAULT', 'UPDATE', 'audit.events'],
  ['DELETE FROM issues WHERE id = 1', 'DELETE', 'issues'],
  ['DELETE FROM ONLY issues USING users', 'DELETE', 'issues'],
  ['MERGE INTO stock s USING sales x ON true WHEN MATCHED THEN DELETE', 'MERGE', 'stock'],
  ['TRUNCATE issues, comments', 'TRUNCATE', 'issues'],
  ['TRUNCATE TABLE ONLY audit.events RESTART IDENTITY', 'TRUNCATE', 'audit.events'],
  ['COPY issues (id, title) FROM STDIN', 'COPY', 'issues'],
  ['COPY (SELECT * FROM users) TO STDOUT', 'COPY', 'users'],
  // definitions
  ['CREATE TABLE issues (id int)', 'CREATE TABLE', 'issues'],
  ['CREATE UNLOGGED TABLE IF NOT EXISTS audit.events (id int)', 'CREATE TABLE', 'audit.events'],
  ['CREATE TEMPORARY TABLE scratch AS SELECT * FROM issues', 'CREATE TABLE', 'scratch'],
  ['CREATE INDEX ON issues (title)', 'CREATE INDEX', 'issues'],
  ['CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY issues (title)', 'CREATE INDEX', 'issues'],
  ['CREATE OR REPLACE VIEW open_issues AS SELECT * FROM issues', 'CREATE VIEW', 'open_issues'],
  ['CREATE MATERIALIZED VIEW totals AS SELECT * FROM issues', 'CREATE MATERIALIZED VIEW', 'totals'],
  ['REFRESH MATERIALIZED VIEW CONCURRENTLY totals', 'REFRESH MATERIALIZED VIEW', 'totals'],
  ['CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 FROM issues $$', 'CREATE FUNCTION', null],
  ['CREATE EXTENSION IF NOT EXISTS hypopg', 'CREATE EXTENSION', null],
  ['ALTER TABLE IF EXISTS ONLY issues ADD COLUMN a int', 'ALTER TABLE', 'issues'],
  ['ALTER TABLE issues RENAME COLUMN a TO b', 'ALTER TABLE', 'issues'],
  ['ALTER TABLE issues RENAME TO tickets', 'ALTER TABLE', 'issues'],
  ['ALTER TABLE issues RENAME CONSTRAINT a TO b', 'ALTER TABLE', 'issues'],
  ['ALTER TABLE issues SET SCHEMA audit', 'ALTER TABLE', 'issues'],
  ['ALTER INDEX i RENAME TO j', 'ALTER INDEX', null],
  ['ALTER SEQUENCE s RESTART', 'ALTER SEQUENCE', null],
  ["ALTER ROLE admin PASSWORD 'x'", 'ALTER ROLE', null],
  ['DROP TABLE IF EXISTS audit.events, issues CASCADE', 'DROP TABLE', 'audit.events'],
  ['DROP INDEX CONCURRENTLY i', 'DROP INDEX', null],
  ['DROP VIEW open_issues', 'DROP VIEW', 'open_issues'],
  ['COMMENT ON TABLE issues IS $$x$$', 'COMMENT', null],
  ['GRANT SELECT ON issues TO reader', 'GRANT', null],
  // maintenance and inspection
  ['LOCK TABLE ONLY issues IN SHARE MODE', 'LOCK', 'issues'],
  ['VACUUM', 'VACUUM', null],
  ['VACUUM (VERBOSE, ANALYZE) issues (id)', 'VACUUM', 'issues'],
  ['VACUUM FULL VERBOSE issues', 'VACUUM', 'issues'],
  ['ANALYZE VERBOSE issues', 'ANALYZE', 'issues'],
  ['CLUSTER issues USING i', 'CLUSTER', 'issues'],
  ['REINDEX (VERBOSE) TABLE CONCURRENTLY issues', 'REINDEX', 'issues'],
  ['REINDEX INDEX i', 'REINDEX', null],
  ['EXPLAIN SELECT * FROM issues', 'EXPLAIN', 'issues'],
  ['EXPLAIN ANALYZE VERBOSE DELETE FROM issues', 'EXPLAIN', 'issues'],
  ['EXPLAIN (ANALYZE, BUFFERS) WITH x AS (SELECT * FROM users) SELECT * FROM x', 'EXPLAIN', 'users'],
  ['EXPLAIN (SELECT * FROM issues)', 'EXPLAIN', 'issues'],
  ['EXPLAIN CREATE TABLE kept AS SELECT * FROM issues', 'EXPLAIN', 'kept'],
  // sessions
  ['BEGIN', 'BEGIN', null],
  ['BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY', 'BEGIN', null],
  ['START TRANSACTION', 'BEGIN', null],
  ['COMMIT', 'COMMIT', null],
  ['END', 'COMMIT', null],
  ['ROLLBACK', 'ROLLBACK', null],
  ['ROLLBACK TO SAVEPOINT a', 'ROLLBACK', null],
  ['SAVEPOINT a', 'SAVEPOINT', null],
  ['RELEASE SAVEPOINT a', 'RELEASE', null],
  ["PREPARE TRANSACTION 'a'", 'PREPARE TRANSACTION', null],
  ["SET LOCAL statement_timeout = '5s'", 'SET', null],
  ['SHOW server_version', 'SHOW', null],
  ['RESET ALL', 'RESET', null],
  ['DISCARD ALL', 'DISCARD', null],
  ['LISTEN changes', 'LISTEN', null],
  ["NOTIFY changes, 'x'", 'NOTIFY', null],
  ['UNLISTEN *', 'UNLISTEN', null],
  ['DO $$ BEGIN DELETE FROM issues; END $$', 'DO', null],
  ['CALL archive_issues(1)', 'CALL', null],
  ['DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM issues', 'DECLARE CURSOR', 'issues'],
  ['FETCH 10 FROM c', 'FETCH', null],
  ['CLOSE c', 'CLOSE', null],
  ['PREPARE p (int) AS SELECT * FROM issues WHERE id = $1', 'PREPARE', 'issues'],
  ['EXECUTE p (1)', 'EXECUTE', null],
  ['DEALLOCATE p', 'DEALLOCATE', null],
  // several statements, and none
  ['SELECT * FROM issues; DELETE FROM users', 'SELECT', 'issues'],
  [';; BEGIN; SELECT 1', 'BEGIN', null],
  ['SELECT 1; SELECT * FROM users', 'SELECT', null],
  ['-- nothing', 'UNKNOWN', null]
]

const pick = ({ operation, table, name }: Statement) => ({ operation, table, name })

test('the parser and the fallback describe the same statements alike', async t => {
  await loadModule()
  const parsing = createSqlAnalyzer({ parsesPerSecond: Infinity })
  const falling = createSqlAnalyzer({ parsesPerSecond: 0 })
  await Promise.all([parsing.ready, falling.ready])
  t.ok(parsing.parserLoaded)
  for (const [sql, operation, table] of statements) {
    const name = table === null ? operation : `${operation} ${table}`
    const parsed = parsing.analyze(sql)
    t.strictSame(pick(parsed), { operation, table, name }, `parser: ${sql}`)
    t.equal(parsed.fingerprint, fingerprintOf(fingerprintSync(sql), parseSync(sql)), `the parser was asked: ${sql}`)
    t.strictSame(pick(falling.analyze(sql)), { operation, table, name }, `fallback: ${sql}`)
  }
})

test('the fallback describes what the parser rejects', async t => {
  const analyzer = createSqlAnalyzer({ parsesPerSecond: Infinity })
  await analyzer.ready
  const broken: [string, string][] = [
    ['SELECT * FRO issues', 'SELECT'],
    ['SELECT * FROM issues WHERE', 'SELECT issues'],
    ['UPDATE issues SET', 'UPDATE issues'],
    ['INSERT INTO', 'INSERT'],
    ['SELECT * FROM (issues', 'SELECT issues'],
    ['WITH', 'UNKNOWN'],
    ['WITH x AS (SELECT * FROM', 'UNKNOWN'],
    ['SELEC * FROM issues', 'UNKNOWN'],
    ['CREATE', 'CREATE'],
    ['CREATE NONSENSE x', 'CREATE'],
    [')', 'UNKNOWN'],
    ['', 'UNKNOWN']
  ]
  for (const [sql, name] of broken) t.equal(analyzer.analyze(sql).name, name, sql)
})
