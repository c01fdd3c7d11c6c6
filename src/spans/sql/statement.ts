export interface Statement {
  /** 'SELECT', 'BEGIN', 'CREATE TABLE': upper case, from a closed set, 'UNKNOWN' when the text begins like nothing known. */
  readonly operation: string
  /** The main table, 'issues', or 'audit.events' in a schema other than public; null where there is none. */
  readonly table: string | null
  /** 'SELECT issues', or the operation alone. */
  readonly name: string
  /** 16 lower-case hexadecimal digits: of libpg-query's fingerprint and the tables, or of the normalised text. */
  readonly fingerprint: string
  /** Without comments and literals, each of which is a `?`; white space folded; at most 1,024 UTF-16 units. */
  readonly text: string
  /** The fingerprint that it was known by until the parser had its say. */
  readonly formerly?: string
}

/** One text, as it was sent. */
export interface SqlText {
  /** What the parser has said of it so far. */
  readonly statement: Statement
  /** The highest bind parameter (`$3`) that it names; 0 where there is none. */
  readonly parameters: number
}
