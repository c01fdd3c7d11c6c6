import type { IncomingMessage } from 'node:http'

/** The connections of servers that do nothing but answer scrapes. */
const connections = new WeakSet<object>()
/** The paths on which apps of this process answer scrapes, as many as there are plugins. */
const paths = new Set<string>()

/** Says that whatever is asked on `connection` is a scrape. */
export function isForScrapes(connection: object): void {
  connections.add(connection)
}

/** Says that `GET path` is a scrape. */
export function answersScrapes(path: string): void {
  paths.add(path)
}

/** Whether a request is for metrics: the monitor's own affair, of which nobody wants a trace, nor a measurement. */
export function isScrape({ method, url = '', socket }: Pick<IncomingMessage, 'method' | 'url' | 'socket'>): boolean {
  return connections.has(socket) || (method === 'GET' && paths.has(url.split('?', 1)[0] ?? ''))
}
