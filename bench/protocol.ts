/** What the runner and its processes say to each other. A process first says that it is `Ready`, then answers orders. */
export interface Ready {
  /** Where it listens on the loopback; 0: nowhere. */
  readonly port: number
}

export type Order =
  /** To a service: execute the query in batches for so long and, for a profile, tell where the time goes. */
  | { readonly ask: 'work' | 'profile'; readonly query: string; readonly batch: number; readonly milliseconds: number }
  /** To a service: tell the CPU time used so far. */
  | { readonly ask: 'cpu' }
  /** To the load generator: ask a service for so long over HTTP. */
  | { readonly ask: 'load'; readonly query: string; readonly port: number; readonly milliseconds: number }
  /** To a sink: tell how many bodies came so far. */
  | { readonly ask: 'received' }

/** The answer to every order; what an order does not ask for is 0. */
export interface Report {
  /** Operations, requests or bodies. */
  readonly count: number
  /** Microseconds. */
  readonly wall: number
  /** Microseconds of the process, user and system. */
  readonly cpu: number
  /** Only where it was asked for. */
  readonly profile?: Profile
}

/** What the time of a service goes into. */
export const parts = [
  'resolvers and engine',
  'garbage collection',
  'V8 and Node outside of functions',
  'AsyncLocalStorage',
  'the clock',
  'around calls',
  'the store'
] as const

export type Part = (typeof parts)[number]

/** Microseconds. */
export type Profile = Readonly<Record<Part, number>>
