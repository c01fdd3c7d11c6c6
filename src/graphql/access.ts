import { createHash, timingSafeEqual } from 'node:crypto'
import { PerformanceError } from '../errors.js'

const SHORTEST_TOKEN = 32

/** The parts of a Mercurius context from which a caller can be recognised. */
export interface CallerContext {
  readonly reply?: { readonly request?: CallerRequest }
  /** Over WebSocket: the upgrade request. */
  readonly request?: CallerRequest
}

interface CallerRequest {
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
}

/** Decides whether the caller of a GraphQL operation is an administrator. May use the application's own login. */
export type Authorize = (context: CallerContext) => boolean | Promise<boolean>

/** Asks `authorize`; where it fails, the caller is no administrator and learns nothing of why. */
export async function isAdministrator(authorize: Authorize, context: CallerContext): Promise<boolean> {
  try {
    return await authorize(context)
  } catch {
    return false
  }
}

/**
 * The tokens in the setting called `name`: a list, or text with commas between them.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID for a token under 32 characters or another type; no message shows one
 */
export function readTokens(name: string, setting: unknown): string[] {
  const parts: unknown = typeof setting === 'string' ? setting.split(',') : (setting ?? [])
  if (!isTexts(parts)) {
    throw new PerformanceError('MPERF_CONFIG_INVALID', `${name} is neither text nor a list of texts: expected tokens`)
  }
  const tokens = parts.map(part => part.trim()).filter(part => part.length > 0)
  const short = tokens.find(token => token.length < SHORTEST_TOKEN)
  if (short !== undefined) {
    throw new PerformanceError(
      'MPERF_CONFIG_INVALID',
      `${name} has a token of ${short.length} characters: expected at least ${SHORTEST_TOKEN}, ` +
        'for example from: openssl rand -hex 32'
    )
  }
  return tokens
}

/** Accepts `Authorization: Bearer <token>` with any of `tokens`; nobody where there are none. */
export function bearerAuthorization(tokens: readonly string[]): Authorize {
  const expected = tokens.map(digest)
  return context => {
    const token = bearerToken(context)
    // Most requests bring none; who sends none learns nothing from a quick answer.
    if (token === '') return false
    const seen = digest(token)
    // Every token is compared, so the time taken says nothing about which one came close.
    return expected.reduce((found, token) => timingSafeEqual(token, seen) || found, false)
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string')
}

function bearerToken(context: CallerContext): string {
  const header = (context.reply?.request ?? context.request)?.headers?.authorization
  return typeof header === 'string' && /^bearer /i.test(header) ? header.slice('bearer '.length).trim() : ''
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
