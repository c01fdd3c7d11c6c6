import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { createPool } from 'mercurius-performance'
import { createTracker } from './app.js'
import { prepareDatabase } from './database.js'
import { explainListenError, readSettings, StartError, type Settings } from './settings.js'
import { stopOnSignal } from './shutdown.js'
import { welcome } from './welcome.js'

try {
  await start(readSettings(process.env))
} catch (error) {
  console.error(isExpected(error) ? error.message : error)
  process.exit(1)
}

async function start(settings: Settings): Promise<void> {
  const tokenIsGiven = giveToken(settings)
  const database = await prepareDatabase(settings)
  const pool = createPool({ connectionString: database.url })
  const app = await createTracker({
    pool,
    logger: loggerOptions(settings),
    production: settings.production,
    jit: settings.jit,
    performance: { databaseUrl: database.url }
  })
  stopOnSignal([() => app.close(), () => pool.end(), () => database.close()], () => {
    const waiting = app.performance.snapshot({ include: ['self'] }).self.export?.waiting ?? 0
    app.log.error({ unsent: waiting }, `stopping took too long: ending at once, with ${waiting} spans not sent`)
  })
  const url = await listen(app, settings)
  console.log(welcome({ url, production: settings.production, tokenIsGiven }))
}

/** Outside production everything works at once, so a token is made for this run. True where there was one. */
function giveToken({ production }: Settings): boolean {
  const given = (process.env.PERFORMANCE_ADMIN_TOKEN ?? '') !== ''
  if (!given && !production) process.env.PERFORMANCE_ADMIN_TOKEN = randomBytes(32).toString('hex')
  return given
}

async function listen(app: FastifyInstance, settings: Settings): Promise<string> {
  try {
    return await app.listen({ host: settings.host, port: settings.port })
  } catch (error) {
    throw explainListenError(error, settings)
  }
}

function loggerOptions({ production }: Settings): FastifyServerOptions['logger'] {
  const pretty = process.stdout.isTTY && !production && isInstalled('pino-pretty')
  return { level: 'info', ...(pretty && { transport: { target: 'pino-pretty' } }) }
}

/** Who installs without the devDependencies, as the image does, has the log as it is. */
function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

/** What the settings are to blame for, which needs no stack: the Tracker's own errors and those of mercurius-performance. */
function isExpected(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  return error instanceof StartError || ('code' in error && String(error.code).startsWith('MPERF_'))
}
