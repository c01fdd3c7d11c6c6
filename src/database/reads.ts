import { lex } from '../spans/sql/lexer.js'
import { DOT, OPEN_PARENTHESIS, QUOTED, SEMICOLON, SYMBOL, TokenList, WORD } from '../spans/sql/tokens.js'

/**
 * Whether running the statement again can change nothing, as far as its text can tell. In doubt it says no: a function
 * that is not one of Postgres' own well-known ones may write. Only the text of a statement that failed is looked at.
 */
export function isRead(text: unknown): boolean {
  const tokens = tokensOf(text)
  return tokens !== undefined && reading.has(opening(tokens)) && every(tokens, index => isHarmless(tokens, index))
}

/**
 * Whether Postgres undoes all of the text where it refuses it: one statement of a kind that cannot commit by itself, as
 * CALL and DO can. Several statements may have a COMMIT among them.
 */
export function isUndoneAsAWhole(text: unknown): boolean {
  const tokens = tokensOf(text)
  return tokens !== undefined && undone.has(opening(tokens)) && every(tokens, index => isNoEnd(tokens, index))
}

/** A longer text is not looked at: it would be while requests fail, and hold up the others. */
const LONGEST_TEXT = 256 * 1024

/** Undefined where the text cannot be told apart. */
function tokensOf(text: unknown): TokenList | undefined {
  if (typeof text !== 'string' || text.length > LONGEST_TEXT) return undefined
  const tokens = new TokenList()
  tokens.text = text
  const isWhole = lex(text, {
    push: (kind, start, end) => {
      tokens.add(kind, start, end, 0, 0)
    }
  })
  return isWhole ? tokens : undefined
}

/** The first word. */
function opening(tokens: TokenList): string {
  let first = 0
  while (tokens.symbol(first) === OPEN_PARENTHESIS) first += 1
  return wordAt(tokens, first)
}

/** Not a semicolon with something behind it. */
function isNoEnd(tokens: TokenList, index: number): boolean {
  return tokens.kind(index) !== SYMBOL || tokens.symbol(index) !== SEMICOLON || index === tokens.count - 1
}

function isHarmless(tokens: TokenList, index: number): boolean {
  if (tokens.kind(index) === SYMBOL) return isNoEnd(tokens, index)
  const word = wordAt(tokens, index)
  if (word !== '' && writing.has(word)) return false
  if (word === 'FOR' && locking.has(wordAt(tokens, index + 1))) return false
  return tokens.symbol(index + 1) !== OPEN_PARENTHESIS || isHarmlessBeforeParenthesis(tokens, index, word)
}

function isHarmlessBeforeParenthesis(tokens: TokenList, index: number, word: string): boolean {
  if (tokens.kind(index) !== WORD && tokens.kind(index) !== QUOTED) return true
  // After AS comes an alias or a type, after a dot the function of some schema.
  if (wordAt(tokens, index - 1) === 'AS') return true
  return tokens.symbol(index - 1) !== DOT && (syntax.has(word) || functions.has(word))
}

/** In upper case; empty for what is no word. */
function wordAt(tokens: TokenList, index: number): string {
  return tokens.kind(index) === WORD ? tokens.source(index).toUpperCase() : ''
}

function every(tokens: TokenList, isTrue: (index: number) => boolean): boolean {
  for (let index = 0; index < tokens.count; index += 1) if (!isTrue(index)) return false
  return true
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

const reading = words('SELECT WITH VALUES TABLE SHOW')
const undone = words('SELECT INSERT UPDATE DELETE MERGE WITH VALUES TABLE')
const writing = words('INSERT UPDATE DELETE MERGE INTO TRUNCATE CALL')
const locking = words('UPDATE NO SHARE KEY')

/** Words of the grammar and types, which may stand before a parenthesis and call nothing. */
const syntax = words(
  'ALL AND ANY ARRAY AS BETWEEN BY CASE CUBE DISTINCT ELSE EXCEPT EXISTS FETCH FILTER FROM GROUP GROUPING HAVING IN ' +
    'INTERSECT IS JOIN LATERAL LIKE ILIKE LIMIT MATERIALIZED NOT OFFSET ON OR OVER ROLLUP ROW SELECT SETS SOME THEN ' +
    'UNION USING VALUES WHEN WHERE WINDOW WITHIN BIT CHAR CHARACTER DECIMAL FLOAT INTERVAL NUMERIC TIME TIMESTAMP ' +
    'TIMESTAMPTZ VARCHAR VARYING'
)

/** Functions of pg_catalog that read at most. */
const functions = words(
  'CAST COALESCE EXTRACT GREATEST LEAST NULLIF OVERLAY POSITION SUBSTRING TRIM ' +
    'ARRAY_AGG AVG BOOL_AND BOOL_OR COUNT EVERY JSONB_AGG JSONB_OBJECT_AGG JSON_AGG JSON_OBJECT_AGG MAX MIN MODE ' +
    'PERCENTILE_CONT PERCENTILE_DISC STRING_AGG SUM CUME_DIST DENSE_RANK FIRST_VALUE LAG LAST_VALUE LEAD NTH_VALUE NTILE ' +
    'PERCENT_RANK RANK ROW_NUMBER ' +
    'ARRAY_APPEND ARRAY_LENGTH ARRAY_POSITION ARRAY_REMOVE ARRAY_TO_STRING CARDINALITY GENERATE_SERIES STRING_TO_ARRAY ' +
    'UNNEST JSONB_ARRAY_ELEMENTS JSONB_BUILD_ARRAY JSONB_BUILD_OBJECT JSON_ARRAY_ELEMENTS JSON_BUILD_ARRAY ' +
    'JSON_BUILD_OBJECT ROW_TO_JSON TO_JSON TO_JSONB ' +
    'ABS CEIL CEILING FLOOR MOD POWER ROUND SIGN SQRT TRUNC ' +
    'BTRIM CHAR_LENGTH CONCAT CONCAT_WS DECODE ENCODE FORMAT INITCAP LEFT LENGTH LOWER LPAD LTRIM MD5 OCTET_LENGTH ' +
    'REGEXP_MATCH REGEXP_MATCHES REGEXP_REPLACE REPEAT REPLACE REVERSE RIGHT RPAD RTRIM SPLIT_PART STRPOS SUBSTR UPPER ' +
    'AGE CLOCK_TIMESTAMP DATE_PART DATE_TRUNC MAKE_DATE NOW STATEMENT_TIMESTAMP TO_CHAR TO_DATE TO_NUMBER TO_TIMESTAMP ' +
    'TRANSACTION_TIMESTAMP PLAINTO_TSQUERY TO_TSQUERY TO_TSVECTOR TS_RANK WEBSEARCH_TO_TSQUERY ' +
    'CURRENT_SETTING GEN_RANDOM_UUID PG_BACKEND_PID PG_SLEEP PG_TYPEOF TO_REGCLASS VERSION'
)
