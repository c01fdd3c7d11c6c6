import pg from 'pg'
import { test, type Test } from 'tap'
import { prepareDatabase } from '../../dist/tracker/database.js'
import { readSettings } from '../../dist/tracker/settings.js'
import { startWireProxy, through } from '../database/wire.js'
import { usePostgres } from '../postgres.js'

const SECRET = 'hunter2'

test('tables that cannot be set up are one line that says what failed, and with what', { timeout: 60_000 }, async t => {
  const { url, port } = await usePostgres(t)
  const database = async (name: string, sql = ''): Promise<string> => {
    await run(url, `CREATE DATABASE ${name}`)
    const own = url.replace(/postgres$/, name)
    await run(own, sql)
    return own
  }

  t.test('a table of another program has the name of one of ours', async t => {
    await fails(
      t,
      await database('taken', 'CREATE TABLE issues (id integer)'),
      /: migration 1 \(create-tables\) failed with 42P07: the tables there are not .* name an empty database$/
    )
  })

  t.test('a migration that has run was edited', async t => {
    const edited = await database('edited')
    await prepare(edited, true)
    await run(edited, "UPDATE schema_migrations SET md5 = 'another' WHERE version = 1")
    await fails(
      t,
      edited,
      /: setting up the tables failed with "MD5 checksum failed for migration \[1\]": the tables there are not/
    )
  })

  t.test('the demonstration data cannot be put in', async t => {
    const strict = await database('strict')
    await prepare(strict, true)
    await run(strict, `ALTER TABLE projects ADD CHECK (name = '${SECRET}')`)
    await fails(t, strict, /: filling the tables with demonstration data failed with 23514: /)
  })

  t.test('the user may create nothing', async t => {
    await database('closed')
    await run(url, `CREATE ROLE reader LOGIN PASSWORD '${SECRET}'`)
    const closed = Object.assign(new URL(url), { username: 'reader', password: SECRET, pathname: '/closed' }).href
    await fails(t, closed, /failed with 42501: the user lacks a privilege .* grant it CREATE on the schema/)
  })

  t.test('the connection breaks meanwhile', async t => {
    const proxy = await startWireProxy(t, port)
    proxy.watch('CREATE TABLE issues', 'before its answer')
    await fails(
      t,
      through(await database('broken'), proxy),
      /: migration 1 .* failed with "Connection terminated unexpectedly": the connection was lost; try again/
    )
    proxy.watch('BEGIN', 'before its answer')
    await fails(
      t,
      through(await database('restarted'), proxy),
      /: setting up the database failed with "Connection terminated unexpectedly": the connection was lost; try again/
    )
  })
})

function prepare(databaseUrl: string, production: boolean): Promise<unknown> {
  return prepareDatabase({ ...readSettings({}), databaseUrl, production })
}

async function fails(t: Test, url: string, problem: RegExp): Promise<void> {
  const error: unknown = await prepare(url, false).catch((reason: unknown) => reason)
  t.match(error, { name: 'StartError', message: problem })
  t.match(error, { message: /^DATABASE_URL is "postgres:.*": .+$/ }, 'one line')
  t.notMatch(String(error), new RegExp(`${SECRET}|connecting failed|correct the port`))
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(sql)
  await client.end()
}
