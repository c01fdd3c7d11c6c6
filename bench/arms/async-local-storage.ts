/** One active AsyncLocalStorage and nothing else: the floor that knowing which resolver sent a query stands on. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance } from 'fastify'

const storage = new AsyncLocalStorage<object>()

export const around = <Result>(run: () => Result): Result => storage.run({}, run)

export function register(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, _reply, done) => {
    around(done)
  })
}
