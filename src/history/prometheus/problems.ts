import { codeOf, naming } from '../problems.js'
import { DEFAULT_URL_SETTING } from '../settings.js'

/** An answer that cannot be used; `code` is the HTTP status, or says what kind of answer it was. */
export class PrometheusError extends Error {
  readonly code: string

  constructor(code: string) {
    super(`Prometheus: ${code}`)
    this.code = code
  }
}

const CORRECT = `correct ${DEFAULT_URL_SETTING}`

const problems = new Map<string, string>([
  ['ECONNREFUSED', `nothing accepts connections there: start Prometheus, or ${CORRECT}`],
  ['ENOTFOUND', `there is no such host: ${CORRECT}`],
  ['EAI_AGAIN', 'the name of the host cannot be looked up: check the network'],
  ['ECONNRESET', 'the connection was lost before there was an answer'],
  ['UND_ERR_SOCKET', 'the connection was lost before the answer was whole'],
  ['400', 'Prometheus does not understand the question: it has to be 3.0 or newer, or to speak its PromQL'],
  ['401', `Prometheus does not let this user in: correct user and password in ${DEFAULT_URL_SETTING}`],
  ['403', `this user may not ask Prometheus: allow it, or name another one in ${DEFAULT_URL_SETTING}`],
  ['404', `there is no Prometheus API: ${CORRECT}, with the path that stands before /api/v1`],
  ['405', `there is no Prometheus API that takes questions by POST: ${CORRECT}`],
  ['422', 'Prometheus could not answer: ask for a shorter range, or raise --query.max-samples'],
  ['429', 'Prometheus has too many questions to answer: ask later'],
  ['503', 'Prometheus gave up on the question: ask for a shorter range, or raise --query.timeout'],
  ['FOREIGN', `what answers is no Prometheus API: ${CORRECT}`],
  ['TOO_LARGE', 'the answer of Prometheus is larger than 64 MiB: ask for a shorter range, or for one name'],
  ['TIMEOUT', 'Prometheus did not answer in ten seconds: ask for a shorter range']
])

/**
 * One line for `self.history` and for clients. What Prometheus says may quote the question, so only its status shows.
 * `setting` is the one that the address stands in.
 */
export function prometheusProblemOf(error: unknown, setting = DEFAULT_URL_SETTING): string {
  const code = (error as { readonly name?: unknown } | null)?.name === 'TimeoutError' ? 'TIMEOUT' : codeOf(error)
  if (code === undefined) return 'the connection was lost, or the answer of Prometheus could not be read'
  const known = problems.get(code)
  return known === undefined ? `asking Prometheus failed with ${code}` : `${naming(setting, known)} (${code})`
}
