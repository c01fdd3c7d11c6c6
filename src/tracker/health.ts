import { setTimeout } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'

const DATABASE_TIMEOUT_MILLISECONDS = 1_000

/** `/health` says that the process answers, `/health/ready` that the database does too. */
export function addHealthRoutes(app: FastifyInstance, pool: Pool): void {
  app.get('/health', () => ({ status: 'ok' }))
  app.get('/health/ready', async (_request, reply) => {
    const isReady = await answersInTime(pool)
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'unavailable' })
  })
}

async function answersInTime(pool: Pool): Promise<boolean> {
  const deadline = new AbortController()
  const answer = pool.query('SELECT 1').then(
    () => true,
    () => false
  )
  const timeout = setTimeout(DATABASE_TIMEOUT_MILLISECONDS, false, { signal: deadline.signal }).catch(() => false)
  try {
    return await Promise.race([answer, timeout])
  } finally {
    deadline.abort()
  }
}
