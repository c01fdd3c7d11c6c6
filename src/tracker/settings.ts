/** What the environment says about the Tracker. */
export interface Settings {
  readonly databaseUrl: string | undefined
  readonly host: string
  readonly port: number
  readonly production: boolean
  /** After how many executions graphql-jit compiles a document; 0: never. */
  readonly jit: number
}

/** A start that cannot go on, and the one line that says why. */
export class StartError extends Error {
  override get name(): string {
    return 'StartError'
  }
}

/** @throws StartError naming the variable, its value and what would be right */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const production = environment.NODE_ENV === 'production'
  const databaseUrl = environment.DATABASE_URL
  if (databaseUrl === undefined && production) {
    throw new StartError(
      'DATABASE_URL is not set: production needs a Postgres of its own, such as postgres://user:password@host:5432/tracker'
    )
  }
  return {
    databaseUrl,
    production,
    port: readPort(environment.PORT),
    host: readHost(environment.HOST),
    jit: readJit(environment.TRACKER_JIT)
  }
}

function readPort(value = '4000'): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new StartError(`PORT is ${JSON.stringify(value)}: expected a whole number from 0 to 65535`)
  }
  return Number(value)
}

function readJit(value = '0'): number {
  if (!/^\d{1,6}$/.test(value)) {
    throw new StartError(
      `TRACKER_JIT is ${JSON.stringify(value)}: expected a whole number of executions, 0 for no graphql-jit`
    )
  }
  return Number(value)
}

function readHost(value = '127.0.0.1'): string {
  if (!/^[\w.:%-]+$/.test(value)) {
    throw new StartError(`HOST is ${JSON.stringify(value)}: expected a host name or an IP address of this machine`)
  }
  return value
}

const listenProblems: Readonly<Record<string, (settings: Settings) => string>> = {
  EADDRINUSE: ({ host, port }) =>
    `PORT is ${port}: another program listens on it at ${host}; stop that program, or choose another port`,
  EACCES: ({ port }) => `PORT is ${port}: this user may not listen on it; choose one above 1023`,
  EADDRNOTAVAIL: ({ host }) => `HOST is ${JSON.stringify(host)}: this machine has no such address; try 127.0.0.1`,
  ENOTFOUND: ({ host }) => `HOST is ${JSON.stringify(host)}: there is no such host; try 127.0.0.1`,
  EAI_AGAIN: ({ host }) => `HOST is ${JSON.stringify(host)}: it cannot be looked up; try 127.0.0.1`
}

/** Why the server could not listen, as a StartError where the settings are to blame. */
export function explainListenError(error: unknown, settings: Settings): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const problem = typeof code === 'string' ? listenProblems[code] : undefined
  return problem === undefined ? error : new StartError(problem(settings))
}
