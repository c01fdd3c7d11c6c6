import { test } from 'tap'
import { startEmbeddedPostgres } from '../../dist/database/embedded.js'
import { startPeer } from '../peer.js'
import { startPostgres } from '../postgres.js'
import type { Load, Report } from './attribution/service.js'

const operations = [
  'query Awaiting { awaited timer turns }',
  'query Together { together direct generated }',
  'query Items { items(count: 4) { name text parent { text } loaded } }',
  'query Loaded { items(count: 3) { loaded parent { loaded } } direct }',
  'query Callbacks { callback checkedOut emitted promisified }',
  'query Transactions { committed rolledBack other: committed }',
  'query Shared { first second items(count: 2) { shared } }',
  'query Global { global items(count: 1) { text } }',
  'query Failing { refused direct other: refused }',
  'query Nested { nested direct items(count: 2) { loaded } }',
  'mutation Writes { committed awaited direct refused together }',
  'query Aliased { constructor: direct __proto__: awaited toString: items(count: 1) { valueOf: text } }'
]

const arms = [
  ['preload', 'pg.Pool'],
  ['exporting', 'pg.Pool'],
  ['own SDK', 'pg.Pool'],
  ['preload', 'createPool'],
  ['exporting', 'createPool']
] as const

const load: Load = { operations, requests: 240, inFlight: 50 }

test('every SQL statement of a mixed load is ascribed to the resolver that sent it', { timeout: 300_000 }, async t => {
  const database = (await startPostgres()) ?? (await startEmbeddedPostgres())
  t.teardown(() => database.close())
  for (const JIT of ['0', '1']) {
    for (const [ARM, POOL] of arms) {
      const service = await startPeer(t, new URL('./attribution/service.ts', import.meta.url), {
        environment: { DATABASE_URL: database.url, JIT, ARM, POOL }
      })
      const name = `${JIT === '0' ? 'graphql-js' : 'graphql-jit'}, ${ARM}, ${POOL}`
      const { sent, seen, wrong, ...counts } = await service.ask<Report>(load)
      t.ok(sent > 4 * load.requests, `${name}: ${sent} statements`)
      t.equal(seen, sent, `${name}: all were seen`)
      t.strictSame(wrong.slice(0, 5), [], `${name}: none of ${wrong.length} is ascribed to another`)
      t.same(counts.countedFor, counts.sentBy, `${name}: resolvers count what they sent`)
      t.same(counts.countedIn, counts.sentIn, `${name}: operations count what was sent in them`)
    }
  }
})
