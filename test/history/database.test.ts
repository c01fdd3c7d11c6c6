import { setImmediate as otherWork } from 'node:timers/promises'
import { test } from 'tap'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { usePostgres } from '../postgres.js'

test('what is under way when it is closed, and finds the database read-only, harms nobody', async t => {
  const { url } = await usePostgres(t)
  const database = new HistoryDatabase(url)
  const unhandled: unknown[] = []
  const listener = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', listener)
  t.teardown(() => process.off('unhandledRejection', listener))
  let closing: Promise<void> | undefined
  const writing = database.transaction(async client => {
    await client.query('SET TRANSACTION READ ONLY')
    closing = database.close()
    await client.query('CREATE TABLE history ()')
  })
  await t.rejects(writing, { code: '25006' })
  await closing
  await otherWork()
  t.strictSame(unhandled, [])
  await t.rejects(database.query('SELECT'), 'it stays closed')
})
