import { test } from 'tap'
import { systemClock } from '../../src/lib/clock.js'
import { History } from '../../src/history/postgres/history.js'
import type { HistorySettings } from '../../src/history/settings.js'
import type { Store } from '../../src/store/store.js'
import { usePostgres } from '../postgres.js'
import { checkReader, newStore, VERSION } from './reader-contract.js'

test('what is kept in Postgres answers as every reader of history has to', { timeout: 120_000 }, async t => {
  const { url } = await usePostgres(t)
  await checkReader(t, service => {
    const settings = (instance: string): HistorySettings => ({
      url,
      instance,
      service,
      version: VERSION,
      retention: { minutes: 86_400, hours: 172_800, days: 400 * 86_400 }
    })
    const historyOf = (instance: string, store: Store): History => {
      const parts = { settings: settings(instance), clock: systemClock, earlier: newStore(), log: () => undefined }
      const history = new History({ ...parts, store })
      t.teardown(() => history.close())
      return history
    }
    const { reader } = historyOf('one', newStore())
    return Promise.resolve({
      reader,
      start: (name, store) => {
        const history = historyOf(name, store)
        const deliver = async (): Promise<void> => {
          await history.flush()
          t.equal(history.report.problem, null)
        }
        return Promise.resolve({ store, deliver, stop: () => history.close() })
      }
    })
  })
})
