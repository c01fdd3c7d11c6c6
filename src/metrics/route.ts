import type { FastifyInstance, FastifyReply } from 'fastify'
import { PerformanceError } from '../errors.js'
import { answersScrapes } from '../spans/scrapes.js'
import type { Store } from '../store/store.js'
import type { StoreMetricProducer } from './producer.js'

/**
 * With a pattern and not as it stands, which would forbid the application to have a route of that name, or to be given
 * one later: a route without a pattern comes first. The router takes all patterns that end alike for the same one, so this
 * one ends as no other is likely to.
 */
const PATTERN = '/:initial(^m)etrics'

type Administrators = (reply: FastifyReply) => Promise<boolean>

export interface MetricsRouteOptions {
  readonly store: Store
  readonly isAdministrator: Administrators
}

/** Who decides on each route: one for each GraphQL API that shares it. By server and by path. */
const deciding = new WeakMap<object, Map<string, Administrators[]>>()

/** Answers administrators `GET /metrics`, in Prometheus' text format; everyone else gets one and the same refusal. */
export function addMetricsRoute(app: FastifyInstance, { store, isAdministrator }: MetricsRouteOptions): void {
  // Fastify makes one slash of two that meet there.
  const url = `${app.prefix.replace(/\/$/, '')}/metrics`
  const routes = deciding.get(app.server) ?? new Map<string, Administrators[]>()
  deciding.set(app.server, routes)
  const administrators = routes.get(url) ?? []
  routes.set(url, administrators)
  // Where another GraphQL API of the same app, which counts into the same store, has added the route, it is shared.
  if (administrators.push(isAdministrator) > 1) return
  const { code, message } = new PerformanceError('MPERF_FORBIDDEN')
  const text = textOf(store)
  app.get(PATTERN, { exposeHeadRoute: false }, async (_, reply) => {
    reply.header('cache-control', 'no-store')
    if (await acceptedByAny(administrators, reply)) return text(reply)
    return reply.code(401).header('www-authenticate', 'Bearer').send({ code, message })
  })
  app.addHook('onReady', done => {
    const has = (pattern: string): boolean => app.hasRoute({ method: 'GET', url: pattern })
    if (has(url)) {
      app.log.info(`mercurius-performance: the app has a route GET ${url} of its own, so there is none of ours`)
    } else {
      answersScrapes(url)
      const catchAll = catchAllsOf(url).find(has)
      if (catchAll !== undefined) {
        app.log.info(
          `mercurius-performance: GET ${url} is taken from the app's route GET ${catchAll}; ` +
            'metricsRoute: false leaves it there'
        )
      }
    }
    done()
  })
}

async function acceptedByAny(administrators: readonly Administrators[], reply: FastifyReply): Promise<boolean> {
  for (const isAdministrator of administrators) if (await isAdministrator(reply)) return true
  return false
}

/**
 * The patterns by which requests of `url` would come to another route, if it had none; what a parameter is called does
 * not matter. One with a regular expression in it is not looked for.
 */
function catchAllsOf(url: string): string[] {
  const parts = url.split('/').slice(1)
  const before = parts.map((_, index) => `/${parts.slice(0, index).join('/')}`.replace(/\/?$/, '/'))
  const parameters = before.map(
    (path, index) =>
      path +
      Array(parts.length - index)
        .fill(':any')
        .join('/')
  )
  return [...parameters.reverse(), ...before.map(path => `${path}*`).reverse()]
}

/** Loads what it takes when somebody asks for the first time. */
function textOf(store: Store): (reply: FastifyReply) => Promise<string> {
  let producer: StoreMetricProducer | undefined
  return async reply => {
    const { CONTENT_TYPE, prometheusText } = await import('./prometheus-text.js')
    const { StoreMetricProducer } = await import('./producer.js')
    producer ??= new StoreMetricProducer(store)
    const { resourceMetrics } = await producer.collect()
    reply.header('content-type', CONTENT_TYPE)
    return prometheusText(resourceMetrics)
  }
}
