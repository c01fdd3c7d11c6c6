import { test } from 'tap'
import { resolveConfig } from '../../src/config.js'
import { readSnapshot } from '../../src/store/read.js'
import type { SnapshotOptions, StoreSnapshot } from '../../src/store/snapshot.js'
import { call, recordResolver, select, sent, storeWith } from './support.js'

const config = resolveConfig({})

function storesWithEarlier() {
  const { store } = storeWith()
  const { store: earlier } = storeWith()
  return {
    store,
    earlier,
    read: (options: SnapshotOptions): StoreSnapshot => readSnapshot(store, config, options, earlier)
  }
}

test('a series of this process and of the one before is one row, alone or among all', t => {
  const { store, earlier, read } = storesWithEarlier()
  const stores = new Map([[1, store], [2, earlier]]) // prettier-ignore
  for (const [seconds, which] of stores) {
    recordResolver(which, 'Query.issues', call(seconds))
    recordResolver(which, `Query.only${seconds}`, call(seconds))
  }
  const all = read({ include: ['resolvers'] }).resolvers
  t.strictSame(all.map(({ name, count }) => [name, count]).sort(), [
    ['Query.issues', 2],
    ['Query.only1', 1],
    ['Query.only2', 1]
  ])
  for (const row of all) t.strictSame(read({ include: ['resolvers'], name: row.name }).resolvers, [row])
  t.strictSame(read({ include: ['resolvers'], name: 'Query.none' }).resolvers, [])
  t.end()
})

test('a statement that the process before called otherwise is one row, under the name that it has now', t => {
  const { store, earlier, read } = storesWithEarlier()
  const now = select('issues', 'one')
  earlier.recordQuery({ ...now, name: 'SELECT' }, sent(1))
  store.recordQuery(now, sent(1))
  t.match(read({ name: 'SELECT issues' }).statements, [{ fingerprint: 'one', count: 2 }])
  t.match(read({ fingerprint: 'one' }).statements, [{ name: 'SELECT issues', count: 2 }])
  t.strictSame(read({ name: 'SELECT' }).statements, [])
  t.end()
})

test('one series is read without a look at all the others, which would be asked for each row of a list', t => {
  const { store, earlier, read } = storesWithEarlier()
  for (const which of [store, earlier]) {
    for (let index = 0; index < 500; index += 1) {
      recordResolver(which, `Query.field${index}`, call(1))
      which.recordQuery(select(`table${index}`), sent(1))
    }
  }
  const { stringify } = JSON
  t.teardown(() => Object.assign(JSON, { stringify }))
  let keys = 0
  Object.assign(JSON, {
    stringify: (value: unknown): string => {
      keys += 1
      return stringify(value)
    }
  })
  const { resolvers } = read({ include: ['resolvers'], name: 'Query.field7' })
  const { statements } = read({ include: ['statements'], name: 'SELECT table7', fingerprint: 'fingerprint of table7' })
  Object.assign(JSON, { stringify })
  t.match([resolvers, statements], [[{ count: 2 }], [{ count: 2 }]])
  t.ok(keys > 0 && keys < 10, `${keys} keys were made`)
  t.end()
})
